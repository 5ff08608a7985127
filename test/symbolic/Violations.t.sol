// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../../contracts/interfaces/IMedShare.sol";
import {PackageId, Report, Session, State} from "../../contracts/interfaces/Types.sol";
import {Harness} from "./Harness.sol";
import {Proof} from "./Proof.sol";

/// @notice The transitions that follow from reports (P7, P18, P19), from every state that can be stored, for every usage
/// contract, action, caller and number; and that no other package's own storage moves. (Its epochs may: that is how one
/// violation revokes many packages.) Recovering a signer is an unknown function here: whatever it answers, what is accepted
/// is as stated. (Who signed what is for the other tests.)
contract ViolationsProof is Proof {
    function check_reportViolation(
        Report calldata report,
        bytes calldata signature,
        Session calldata session,
        bytes calldata delegation,
        PackageId other,
        address caller
    ) public {
        Harness.Seen memory before = _look(report.package);
        bytes32 others = _packageOf(other);
        bool mayCall = _isNodeOf(caller, before.owner);
        bool done = _call(caller, abi.encodeCall(IMedShare.reportViolation, (report, signature, session, delegation)));
        if (!done) return;
        assert(_violations(before, report.actions) != 0);
        _assertSettled(before, report, mayCall);
        assert(_isSame(report.package, other) || _packageOf(other) == others);
    }

    function check_reportTampering(
        Report calldata first,
        bytes calldata firstSignature,
        Report calldata second,
        bytes calldata secondSignature,
        Session calldata session,
        bytes calldata delegation,
        PackageId other,
        address caller
    ) public {
        Harness.Seen memory before = _look(first.package);
        bytes32 others = _packageOf(other);
        bool mayCall = _isNodeOf(caller, before.owner);
        bytes memory input = abi.encodeCall(
            IMedShare.reportTampering, (first, firstSignature, second, secondSignature, session, delegation)
        );
        bool done = _call(caller, input);
        if (!done) return;
        assert(PackageId.unwrap(first.package) == PackageId.unwrap(second.package) && first.number == second.number);
        assert(keccak256(abi.encode(first)) != keccak256(abi.encode(second)));
        _assertSettled(before, first, mayCall);
        assert(_isSame(first.package, other) || _packageOf(other) == others);
    }

    /// @dev By a node of the owner, while access was granted, with a number that rises; then it is revoked, counted, the
    /// owner's response actions are taken, each when it is due, and the rest is as it was.
    function _assertSettled(Harness.Seen memory before, Report calldata report, bool mayCall) private view {
        assert(mayCall);
        assert(_isLive(before));
        assert(report.number > before.package.settled);
        Harness.Seen memory later = med.look(report.package);
        assert(_stateOf(later) == State.Revoked);
        uint32 violation = before.violations + 1;
        bool dataset = before.revokeDatasetFrom != 0 && violation >= before.revokeDatasetFrom;
        bool owner = before.revokeOwnerFrom != 0 && violation >= before.revokeOwnerFrom;
        bool refused = before.refuseRequestsFrom != 0 && violation >= before.refuseRequestsFrom;
        assert(later.package.settled == report.number);
        assert(later.violations == violation);
        assert(later.datasetEpoch == before.datasetEpoch + (dataset ? 1 : 0));
        assert(later.ownerEpoch == before.ownerEpoch + (owner ? 1 : 0));
        assert(later.refused == (before.refused || refused));
        later.package.standing = before.package.standing;
        later.package.settled = before.package.settled;
        (later.violations, later.datasetEpoch, later.ownerEpoch, later.refused) =
        (before.violations, before.datasetEpoch, before.ownerEpoch, before.refused);
        _assertSame(before, later);
    }
}
