// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IMedShareEvents} from "../../contracts/interfaces/IMedShareEvents.sol";
import {
    AccessRequest,
    ActionKind,
    Class,
    DatasetId,
    NodeView,
    PackageId,
    Response,
    Usage
} from "../../contracts/interfaces/Types.sol";
import {ReplicaViews} from "./ReplicaViews.sol";

/// @notice The contract's whole state, rebuilt from what it tells and from nothing else: this contract is given logs,
/// and has the clock. It shares no code with the contract; it loops where the contract counts epochs, and hashes
/// headers in its own way.
contract Replica is ReplicaViews, IMedShareEvents {
    error ToldByAnother(address emitter);
    error UnknownEvent(bytes32 topic);

    constructor(address told_) ReplicaViews(told_) {}

    function replay(Vm.Log[] calldata logs) external {
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].emitter != told) revert ToldByAnother(logs[i].emitter);
            bool known = participants(logs[i]) || requestors(logs[i]) || datasets(logs[i]) || packages(logs[i])
                || conduct(logs[i]);
            if (!known) revert UnknownEvent(logs[i].topics[0]);
        }
    }

    // ---------------------------------------------------------------- participants

    function participants(Vm.Log calldata log) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == CustodianAdmitted.selector) {
            isCustodian[whoIn(log, 1)] = true;
            custodianCount++;
        } else if (topic == CustodianRemoved.selector) {
            isCustodian[whoIn(log, 1)] = false;
            custodianCount--;
        } else if (topic == NodeRegistered.selector) {
            (bytes32 key, string memory endpoint) = abi.decode(log.data, (bytes32, string));
            nodes[whoIn(log, 2)] = NodeView(whoIn(log, 1), key, endpoint);
        } else if (topic == NodeRemoved.selector) {
            require(nodes[whoIn(log, 2)].custodian == whoIn(log, 1), "another custodian's node");
            delete nodes[whoIn(log, 2)];
        } else if (topic == IAccessControl.RoleGranted.selector) {
            hasRole[log.topics[1]][whoIn(log, 2)] = true;
        } else if (topic == IAccessControl.RoleRevoked.selector) {
            hasRole[log.topics[1]][whoIn(log, 2)] = false;
        } else if (topic == WorkLimitSet.selector) {
            workLimit = abi.decode(log.data, (uint32));
        } else {
            return false;
        }
        return true;
    }

    function requestors(Vm.Log calldata log) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == RequestorRegistered.selector) {
            (, bytes32 sealingKey, Class class, uint256 nonce) =
                abi.decode(log.data, (address, bytes32, Class, uint256));
            entries[whoIn(log, 1)] = Requestor(whoIn(log, 2), sealingKey, class, log.topics[3], nonce + 1);
        } else if (topic == CredentialSuspended.selector) {
            address by = whoIn(log, 2);
            suspenderOf[log.topics[1]] = hasRole[0x00][by] ? GOVERNANCE : by;
        } else if (topic == CredentialReinstated.selector) {
            delete suspenderOf[log.topics[1]];
        } else {
            return false;
        }
        return true;
    }

    function datasets(Vm.Log calldata log) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == DatasetPublished.selector) {
            (bytes32 descriptor, bytes32[] memory purposes, Response[] memory responses) =
                abi.decode(log.data, (bytes32, bytes32[], Response[]));
            Dataset storage dataset = offers[whoIn(log, 1)][DatasetId.wrap(log.topics[2])];
            (dataset.descriptor, dataset.purposes) = (descriptor, purposes);
            delete dataset.from;
            for (uint256 i = 0; i < responses.length; i++) {
                dataset.from[uint256(responses[i].kind)] = responses[i].threshold;
            }
        } else if (topic == DatasetWithdrawn.selector) {
            delete offers[whoIn(log, 1)][DatasetId.wrap(log.topics[2])].descriptor;
        } else {
            return false;
        }
        return true;
    }

    // ---------------------------------------------------------------- packages

    function packages(Vm.Log calldata log) private returns (bool) {
        bytes32 topic = log.topics[0];
        PackageId id = PackageId.wrap(log.topics[1]);
        if (topic == PackageIssued.selector) {
            issued(log, id);
        } else if (topic == ReportsAnchored.selector) {
            (, bytes memory all) = abi.decode(log.data, (address, bytes));
            held[id].head = extended(held[id].head, all);
        } else if (topic == PackageRevoked.selector) {
            held[id].revoked = true;
        } else if (topic == PackageRegranted.selector) {
            held[id].revoked = false;
        } else if (topic == PackageRetrieved.selector) {
            held[id].retrieved = true;
        } else {
            // What is skipped leaves no trace.
            return topic == ItemSkipped.selector || topic == SegmentSkipped.selector;
        }
        return true;
    }

    function issued(Vm.Log calldata log, PackageId id) private {
        (AccessRequest memory request, Usage memory usage,,,,, bytes memory entry) =
            abi.decode(log.data, (AccessRequest, Usage, bytes32, bytes32, address, address, bytes));
        (address requestor, address custodian) = (whoIn(log, 2), whoIn(log, 3));
        require(requestor == request.requestor && custodian == request.custodian, "topics and request differ");
        bytes32 leaf;
        assembly ("memory-safe") {
            leaf := mload(add(entry, 80))
        }
        held[id] = Package({
            requestor: requestor,
            custodian: custodian,
            dataset: request.dataset,
            usage: usage,
            origin: leaf,
            head: leaf,
            settled: 0,
            revoked: false,
            retrieved: false
        });
        ids.push(id);
        threads[requestor] = extended(threadHead(requestor), entry);
    }

    /// @dev The head after these entries: each is a header without its previous hash, with a leaf hash behind it.
    function extended(bytes32 head, bytes memory all) private pure returns (bytes32) {
        for (uint256 at = 0; at < all.length; at += 80) {
            (bytes4 version, bytes32 root, bytes12 rest) = (0, 0, 0);
            assembly ("memory-safe") {
                let entry := add(add(all, 0x20), at)
                version := and(mload(entry), shl(224, 0xffffffff))
                root := mload(add(entry, 4))
                rest := and(mload(add(entry, 36)), shl(160, 0xffffffffffffffffffffffff))
            }
            head = sha256(bytes.concat(sha256(bytes.concat(version, head, root, rest))));
        }
        return head;
    }

    // ---------------------------------------------------------------- conduct

    function conduct(Vm.Log calldata log) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == ViolationAccepted.selector) {
            Package storage package = held[PackageId.wrap(log.topics[1])];
            (package.settled,,) = abi.decode(log.data, (uint32, uint8, bytes32));
            violations[package.requestor][package.custodian][package.dataset]++;
        } else if (topic == ResponseTaken.selector) {
            (ActionKind kind,) = abi.decode(log.data, (ActionKind, uint32));
            respond(held[PackageId.wrap(log.topics[1])], whoIn(log, 2), whoIn(log, 3), kind);
        } else if (topic == RequestsAllowed.selector) {
            isRefused[whoIn(log, 1)][whoIn(log, 2)] = false;
        } else {
            return false;
        }
        return true;
    }

    function respond(Package storage violated, address requestor, address custodian, ActionKind kind) private {
        if (kind == ActionKind.RefuseRequests) isRefused[custodian][requestor] = true;
        if (kind != ActionKind.RevokeDataset && kind != ActionKind.RevokeOwner) return;
        for (uint256 i = 0; i < ids.length; i++) {
            Package storage package = held[ids[i]];
            bool theirs = package.requestor == requestor && package.custodian == custodian;
            bool meant = kind == ActionKind.RevokeOwner
                || DatasetId.unwrap(package.dataset) == DatasetId.unwrap(violated.dataset);
            if (theirs && meant) package.revoked = true;
        }
    }

    function whoIn(Vm.Log calldata log, uint256 topic) private pure returns (address) {
        return address(uint160(uint256(log.topics[topic])));
    }
}
