// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, PackageId, Report, Usage} from "../../contracts/interfaces/Types.sol";
import {Header} from "../../contracts/libraries/Header.sol";
import {MedShare} from "../../contracts/MedShare.sol";

/// @notice The contract with its inside shown, and nothing changed. The proofs give it arbitrary storage: they begin in
/// every state that can be stored, reachable or not.
contract Harness is MedShare {
    /// @dev All that bears on one package.
    struct Seen {
        Package package;
        bytes32 head;
        address owner;
        uint32 violations;
        uint24 datasetEpoch;
        uint24 ownerEpoch;
        bool refused;
        uint32 revokeDatasetFrom;
        uint32 revokeOwnerFrom;
        uint32 refuseRequestsFrom;
    }

    constructor() MedShare(address(1), 0x1f0fffff) {}

    function look(PackageId id) external view returns (Seen memory seen) {
        Package storage package = _packages[id];
        Dataset storage dataset = _dataset(package.dataset);
        seen.package = package;
        seen.head = _headOf(id, package);
        seen.owner = dataset.custodian;
        Record storage record = _record(package.requestor, package.dataset);
        (seen.violations, seen.datasetEpoch) = (record.violations, record.epoch);
        Relation storage relation = _relation(package.requestor, dataset.custodian);
        (seen.ownerEpoch, seen.refused) = (relation.epoch, relation.refused);
        seen.revokeDatasetFrom = dataset.revokeDatasetFrom;
        seen.revokeOwnerFrom = dataset.revokeOwnerFrom;
        seen.refuseRequestsFrom = dataset.refuseRequestsFrom;
    }

    function custodianOf(address node) external view returns (address) {
        return _custodianOf(node);
    }

    /// @dev What anchoring does to a package: nothing but this. The hashes before it are no matter of states.
    function moveHead(PackageId id, bytes32 head) external {
        _heads[_ownerOf(_packages[id])][id].hash = head;
    }

    /// @dev What issuing does to a package, once its item was found good.
    function create(PackageId id, AccessRequest calldata request, uint32 dataset, Usage calldata usage, bytes32 origin)
        external
    {
        _createPackage(id, request, dataset, usage, origin);
    }

    function laid(bytes calldata entry, bytes32 previous) external pure returns (bytes32 a, bytes32 b, bytes16 c) {
        (uint256 at,) = Header.span(entry);
        uint256 header = Header.lay(at, previous);
        assembly ("memory-safe") {
            a := mload(header)
            b := mload(add(header, 32))
            c := and(mload(add(header, 64)), not(0xffffffffffffffffffffffffffffffff))
        }
    }

    function timeAndBits(bytes calldata entry) external pure returns (uint256, uint256) {
        (uint256 at,) = Header.span(entry);
        return Header.timeAndBits(at);
    }

    function leafOf(bytes calldata entry) external pure returns (bytes32) {
        return Header.leafOf(entry);
    }

    /// @dev Both ways to judge an entry under a limit.
    function judged(bytes calldata entry, bytes32 hash, uint32 limitBits)
        external
        view
        returns (bool plain, bool good)
    {
        (uint256 at,) = Header.span(entry);
        Header.Limit memory limit = Header.limitOf(limitBits);
        plain = Header.isPlainlyGood(at, hash, limit.target, limit.bits);
        good = Header.isGood(at, hash, limit.target);
    }
}
