// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShareErrors} from "../../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../../contracts/interfaces/IMedShareEvents.sol";
import {DatasetId, PackageId, State, Usage} from "../../contracts/interfaces/Types.sol";
import {Miner} from "../Miner.sol";
import {Actors} from "./Actors.sol";
import {Dice} from "./Dice.sol";
import {FaultSet, Faults} from "./Faults.sol";
import {Replica} from "./Replica.sol";

/// @notice Later than the Vm interface of the forge-std that we have.
interface Cooler {
    function cool(address target) external;
}

/// @notice The contract, its replica, and what the handlers know because they did it themselves.
abstract contract World is Actors {
    /// @dev What the handlers did with a package.
    struct Past {
        address requestor;
        address custodian;
        DatasetId dataset;
        Usage usage;
        bytes32 head;
        uint32 settled;
        bool lost; // access was taken away, and its own custodian has not given it again
        bool violated; // as `lost`, by a violation of its own
        bool retrieved;
    }

    struct Answer {
        bool done;
        bytes data;
        Vm.Log[] logs;
    }

    Replica internal replica;
    PackageId[] internal packages;
    mapping(PackageId => Past) internal past;
    /// @dev Heads of the threads as the handlers mined them; zero before the first block.
    mapping(address requestor => bytes32) internal threads;
    /// @dev Requests that their requestor signed, or whoever its code agrees to.
    mapping(PackageId => bool) internal requested;
    /// @dev Digests of the reports that were settled.
    mapping(bytes32 report => bool) internal settledReports;
    /// @dev Packages that the last call named.
    PackageId[] internal touched;
    /// @dev Whether the last handler can have changed anything: its call did not revert, or time went by.
    bool internal moved;
    uint256 internal steps;
    /// @dev How often handlers reached what: effects by name; calls of the contract and its errors by selector.
    mapping(bytes32 what => uint256) internal tally;

    // ---------------------------------------------------------------- calls

    /// @dev Calls the contract, measures it with cold storage, and tells the replica what was told.
    function _send(address from, bytes memory input, uint256 bound_) internal returns (Answer memory) {
        return _sendWith(type(uint256).max, from, input, bound_);
    }

    function _sendWith(uint256 limit, address from, bytes memory input, uint256 bound_)
        internal
        returns (Answer memory answer)
    {
        vm.recordLogs();
        Cooler(address(vm)).cool(address(med));
        vm.prank(from);
        uint256 gas = gasleft();
        (answer.done, answer.data) = address(med).call{gas: limit}(input);
        gas -= gasleft();
        if (gas > bound_) {
            revert(string.concat("bound: ", vm.toString(abi.encodePacked(bytes4(input))), " took ", vm.toString(gas)));
        }
        // What is told and reverted is recorded too.
        Vm.Log[] memory logs = vm.getRecordedLogs();
        if (answer.done) answer.logs = logs;
        replica.replay(answer.logs);
        _look(from, answer.logs);
        (moved, steps) = (answer.done, steps + 1);
        _count(bytes4(input));
        if (!answer.done) _count(bytes4(answer.data));
    }

    /// @dev As `_send`, where the outcome follows from the faults.
    function _expect(address from, bytes memory input, uint256 bound_, Faults memory faults)
        internal
        returns (bool done)
    {
        Answer memory answer = _send(from, input, bound_);
        _mustAnswer(answer, faults);
        return answer.done;
    }

    /// @dev As `_expect`; and what was done is told in one event with this data, to the byte. The replica sees who did
    /// what to whom, but not what nothing depends on, as reasons and digests.
    function _expectTold(address from, bytes memory input, uint256 bound_, Faults memory faults, bytes memory data)
        internal
        returns (bool done)
    {
        Answer memory answer = _send(from, input, bound_);
        _mustAnswer(answer, faults);
        done = answer.done;
        if (!done) return false;
        require(answer.logs.length == 1 && keccak256(answer.logs[0].data) == keccak256(data), "told otherwise");
    }

    function _mustAnswer(Answer memory answer, Faults memory faults) internal {
        bool right = faults.count == 0 ? answer.done : !answer.done && faults.hold(answer.data);
        if (right) return;
        emit log_named_bytes("answered", answer.data);
        for (uint256 i = 0; i < faults.count; i++) {
            emit log_named_bytes("expected", faults.errors[i]);
        }
        revert(
            faults.count == 0 ? "refused without a fault" : answer.done ? "done in spite of faults" : "another error"
        );
    }

    /// @dev Whoever an event names as its doer is who called; and which packages were named.
    function _look(address from, Vm.Log[] memory logs) private {
        delete touched;
        for (uint256 i = 0; i < logs.length; i++) {
            bytes32 topic = logs[i].topics[0];
            bool skipped =
                topic == IMedShareEvents.ItemSkipped.selector || topic == IMedShareEvents.SegmentSkipped.selector;
            bool moved_ =
                topic == IMedShareEvents.PackageIssued.selector || topic == IMedShareEvents.ReportsAnchored.selector;
            bool decided = topic == IMedShareEvents.PackageRevoked.selector
                || topic == IMedShareEvents.PackageRegranted.selector
                || topic == IMedShareEvents.PackageRetrieved.selector;
            bool suspension = topic == IMedShareEvents.CredentialSuspended.selector
                || topic == IMedShareEvents.CredentialReinstated.selector;
            if (skipped || moved_ || decided) touched.push(PackageId.wrap(logs[i].topics[1]));
            bool right = !(skipped || decided || suspension) || logs[i].topics[2] == bytes32(uint256(uint160(from)));
            require(right, "an event names another doer");
        }
    }

    /// @dev No slot of the contract was written since `vm.record`, not even to be restored.
    function _nothingWritten() internal {
        (, bytes32[] memory writes) = vm.accesses(address(med));
        require(writes.length == 0, "skipped items wrote something");
    }

    // ---------------------------------------------------------------- what is so

    function _head(address requestor_) internal view returns (bytes32 head) {
        head = threads[requestor_];
        return head == 0 ? replica.threadHead(requestor_) : head;
    }

    function _isNode(address who) internal view returns (bool) {
        return replica.custodianOf(who) != address(0);
    }

    /// @dev A package in one of these states (bits), if a few tries find one; now and then one that is not there.
    function _package(Dice memory dice, uint256 states) internal view returns (PackageId id) {
        if (packages.length == 0 || dice.oneIn(40)) return PackageId.wrap(dice.word());
        uint256 first = dice.below(packages.length);
        for (uint256 i = 0; i < packages.length && i < 12; i++) {
            id = packages[(first + i) % packages.length];
            if (states & (1 << uint256(replica.stateOf(id))) != 0) return id;
        }
    }

    function _bit(State state) internal pure returns (uint256) {
        return 1 << uint256(state);
    }

    function _live() internal pure returns (uint256) {
        return _bit(State.Issued) | _bit(State.Active);
    }

    /// @dev One of the custodian's nodes that is registered now; else one that is its by habit.
    function _nodeOf(Dice memory dice, address custodian) internal view returns (address node_) {
        uint256 first = dice.below(NODES);
        for (uint256 i = 0; i < NODES; i++) {
            node_ = nodes[(first + i) % NODES].addr;
            if (replica.custodianOf(node_) == custodian) return node_;
        }
        return nodes[_indexOf(custodian) * 2].addr;
    }

    /// @dev A custodian that is admitted, if a few tries find one.
    function _admitted(Dice memory dice) internal view returns (address custodian) {
        for (uint256 tries = 0; tries < 4; tries++) {
            custodian = _custodian(dice);
            if (replica.isCustodian(custodian)) return custodian;
        }
    }

    /// @dev A custodian that has a node now, if a few tries find one.
    function _working(Dice memory dice) internal view returns (address custodian) {
        for (uint256 tries = 0; tries < 4; tries++) {
            custodian = _custodian(dice);
            if (replica.custodianOf(_nodeOf(dice, custodian)) != address(0)) return custodian;
        }
    }

    function _indexOf(address custodian) internal view returns (uint256 index) {
        while (index + 1 < CUSTODIANS && custodians[index] != custodian) index++;
    }

    /// @dev The faults of a call that only the owner of a package, or its nodes, may make.
    function _ownersFaults(PackageId id, address caller, uint256 states) internal view returns (Faults memory faults) {
        faults = FaultSet.none();
        State state = replica.stateOf(id);
        if (state == State.None) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.UnknownPackage.selector, id));
            return faults;
        }
        address owner = past[id].custodian;
        if (caller != owner && replica.custodianOf(caller) != owner) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, id, caller));
        }
        if (states & _bit(state) == 0) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.WrongState.selector, id, state));
        }
    }

    function _count(bytes32 what) internal {
        tally[what]++;
    }
}
