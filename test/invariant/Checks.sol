// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../../contracts/interfaces/IMedShare.sol";
import {NodeView, PackageId, PackageView, State} from "../../contracts/interfaces/Types.sol";
import {World} from "./World.sol";

/// @notice What must hold after every call, whoever made it.
abstract contract Checks is World {
    /// @dev How many packages are looked at after each call, besides those it named: the older ones in turn.
    uint256 private constant WINDOW = 24;

    /// @dev The state rebuilt from events equals the storage: who takes part, and what is offered.
    function _checkParticipants() internal view {
        _same(abi.encodeCall(IMedShare.custodianCount, ()));
        _same(abi.encodeCall(IMedShare.workLimit, ()));
        for (uint256 i = 0; i < 2; i++) {
            _same(abi.encodeCall(med.hasRole, (bytes32(0), governors[i])));
        }
        for (uint256 i = 0; i < NODES; i++) {
            bytes memory node_ = _same(abi.encodeCall(IMedShare.nodeOf, (nodes[i].addr)));
            address custodian = abi.decode(node_, (NodeView)).custodian;
            bool orphan = custodian != address(0) && !replica.isCustodian(custodian);
            require(!orphan, "a node of a custodian that is not admitted");
        }
        for (uint256 i = 0; i < CUSTODIANS; i++) {
            _same(abi.encodeCall(IMedShare.isCustodian, (custodians[i])));
            for (uint256 j = 0; j < 2; j++) {
                _same(abi.encodeCall(IMedShare.datasetOf, (custodians[i], datasets[j])));
            }
            for (uint256 j = 0; j < REQUESTORS; j++) {
                _same(abi.encodeCall(IMedShare.isRefused, (custodians[i], requestors[j])));
            }
        }
    }

    /// @dev The same of requestors; and their threads are where the handlers' own mining led to.
    function _checkRequestors() internal view {
        for (uint256 i = 0; i < REQUESTORS; i++) {
            _same(abi.encodeCall(IMedShare.requestorOf, (requestors[i])));
            bytes memory head = _same(abi.encodeCall(IMedShare.threadHead, (requestors[i])));
            require(abi.decode(head, (bytes32)) == threads[requestors[i]], "a thread's head is another");
        }
    }

    /// @dev The packages that the last call named, and as many others, the older ones in turn.
    function _checkPackages() internal view {
        for (uint256 i = 0; i < touched.length; i++) {
            _checkPackage(touched[i]);
        }
        uint256 count = packages.length < WINDOW ? packages.length : WINDOW;
        for (uint256 i = 0; i < count; i++) {
            _checkPackage(packages[(steps * WINDOW + i) % packages.length]);
        }
    }

    function _checkAllPackages() internal view {
        for (uint256 i = 0; i < packages.length; i++) {
            _checkPackage(packages[i]);
        }
    }

    function _checkPackage(PackageId id) private view {
        PackageView memory its = abi.decode(_same(abi.encodeCall(IMedShare.packageOf, (id))), (PackageView));
        Past storage known = past[id];
        if (known.requestor == address(0)) {
            require(its.state == State.None, "a package that nobody issued");
            return;
        }
        bool readable = its.state == State.Issued || its.state == State.Active;
        require(!known.lost || !readable, "a revoked package is active, not by its own custodian");
        require(!known.violated || !readable, "reads as active after a violation");
        if (known.retrieved) require(its.state == State.Retrieved, "retrieved is not final");
        else if (_later(0) >= known.usage.expiry) require(its.state == State.Expired, "expired is not final");
        require(its.head == known.head, "a side-chain's head is another");
        require(its.settled == known.settled, "a number settled that no report had");
    }

    /// @dev The contract and its replica give the same answer to the same question.
    function _same(bytes memory question) private view returns (bytes memory answer) {
        bool done;
        (done, answer) = address(med).staticcall(question);
        (bool doneToo, bytes memory rebuilt) = address(replica).staticcall(question);
        bool same = done && doneToo && keccak256(answer) == keccak256(rebuilt);
        if (!same) revert(string.concat("storage and events differ: ", vm.toString(question)));
    }
}
