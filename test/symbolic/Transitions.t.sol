// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../../contracts/interfaces/IMedShare.sol";
import {AccessRequest, PackageId, PackageView, State, Usage} from "../../contracts/interfaces/Types.sol";
import {Harness} from "./Harness.sol";
import {Proof} from "./Proof.sol";

/// @notice Every transition that needs no report (P6, P19), from every state that can be stored, at every time, by every
/// caller: when it happens, and what it leaves as it was.
contract TransitionsProof is Proof {
    function check_theViewTellsTheState(PackageId id) public view {
        Harness.Seen memory seen = _look(id);
        PackageView memory told = med.packageOf(id);
        assert(told.state == _stateOf(seen));
        assert(told.started == (bytes16(seen.head) != seen.package.origin));
        assert(told.head == seen.head && told.custodian == seen.owner && told.requestor == seen.package.requestor);
        assert(told.settled == seen.package.settled && told.violations == seen.violations);
        assert(told.refused == seen.refused);
    }

    /// @notice Exactly the owner and its nodes, exactly while access is granted, with a reason of their own.
    function check_revoke(PackageId id, PackageId other, uint8 reason, address caller) public {
        Harness.Seen memory before = _look(id);
        bytes32 others = _packageOf(other);
        bool may = caller == before.owner || _isNodeOf(caller, before.owner);
        bool done = _call(caller, abi.encodeCall(IMedShare.revoke, (id, reason)));
        assert(done == (may && _isLive(before) && reason >= 2));
        if (!done) return;
        Harness.Seen memory later = med.look(id);
        assert(_stateOf(later) == State.Revoked);
        assert(_isSame(id, other) || _packageOf(other) == others);
        later.package.standing = before.package.standing;
        _assertSame(before, later);
    }

    /// @notice Exactly the owner itself, while admitted, exactly what is revoked.
    function check_regrant(PackageId id, PackageId other, address caller) public {
        Harness.Seen memory before = _look(id);
        bytes32 others = _packageOf(other);
        bool may = caller == before.owner && med.isCustodian(caller);
        bool done = _call(caller, abi.encodeCall(IMedShare.regrant, (id)));
        assert(done == (may && _stateOf(before) == State.Revoked));
        if (!done) return;
        Harness.Seen memory later = med.look(id);
        assert(_stateOf(later) == (bytes16(later.head) == later.package.origin ? State.Issued : State.Active));
        assert(_isSame(id, other) || _packageOf(other) == others);
        later.package.standing = before.package.standing;
        later.package.datasetEpoch = before.package.datasetEpoch;
        later.package.ownerEpoch = before.package.ownerEpoch;
        _assertSame(before, later);
    }

    /// @notice Only the owner or a node of it, only before the package has ended.
    function check_retrieve(PackageId id, PackageId other, uint64 time, bytes calldata signature, address caller)
        public
    {
        Harness.Seen memory before = _look(id);
        bytes32 others = _packageOf(other);
        bool may = caller == before.owner || _isNodeOf(caller, before.owner);
        State state = _stateOf(before);
        bool done = _call(caller, abi.encodeCall(IMedShare.retrieve, (id, time, signature)));
        if (!done) return;
        assert(may);
        assert(state == State.Issued || state == State.Active || state == State.Revoked);
        Harness.Seen memory later = med.look(id);
        assert(_stateOf(later) == State.Retrieved);
        assert(_isSame(id, other) || _packageOf(other) == others);
        later.package.standing = before.package.standing;
        _assertSame(before, later);
    }

    /// @notice Anchoring makes Issued Active, and changes no other state.
    function check_anchoring(PackageId id, bytes32 head) public {
        Harness.Seen memory before = _look(id);
        vm.assume(bytes16(head) != before.package.origin); // 2^128 hashes to make one
        State state = _stateOf(before);
        med.moveHead(id, head);
        Harness.Seen memory later = med.look(id);
        assert(_stateOf(later) == (state == State.Issued ? State.Active : state));
        later.head = before.head;
        _assertSame(before, later);
    }

    /// @notice A new package is Issued, with what was asked for and nothing else, whatever its requestor did before.
    function check_issuing(
        PackageId id,
        AccessRequest calldata request,
        uint32 dataset,
        Usage calldata usage,
        bytes32 origin
    ) public {
        vm.assume(request.custodian != address(0) && usage.expiry > block.timestamp * 1000);
        Harness.Seen memory before = med.look(id);
        vm.assume(uint8(before.package.standing) == NONE && before.package.settled == 0);
        med.create(id, request, dataset, usage, origin);
        Harness.Seen memory later = med.look(id);
        vm.assume(later.owner == request.custodian); // as `_checkOffer` has found the number
        assert(_stateOf(later) == State.Issued);
        assert(later.package.requestor == request.requestor && later.package.dataset == dataset);
        assert(later.package.contractKey == usage.contractKey && later.package.expiry == usage.expiry);
        assert(later.package.sensitivity == usage.sensitivity && later.package.environment == usage.environment);
        assert(later.package.granted == usage.granted && later.package.exempt == usage.exempt);
        assert(later.head == origin && later.package.settled == 0);
    }

    /// @notice Time alone ends packages, and gives nothing back.
    function check_time(PackageId id, uint32 passed) public {
        Harness.Seen memory seen = _look(id);
        State before = _stateOf(seen);
        assert(med.packageOf(id).state == before);
        vm.warp(block.timestamp + passed);
        State later = med.packageOf(id).state;
        bool ends = before != State.None && before != State.Retrieved && later == State.Expired;
        assert(later == before || ends);
    }
}
