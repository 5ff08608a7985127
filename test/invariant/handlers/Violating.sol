// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShare} from "../../../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../../../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../../../contracts/interfaces/IMedShareEvents.sol";
import {
    ActionKind,
    DatasetId,
    PackageId,
    Report,
    Sensitivity,
    State,
    Usage,
    Verdict
} from "../../../contracts/interfaces/Types.sol";
import {Messages} from "../../Messages.sol";
import {Bounds} from "../Bounds.sol";
import {Dice} from "../Dice.sol";
import {Faults} from "../Faults.sol";
import {Reports} from "../Reports.sol";
import {Custodians} from "./Custodians.sol";

/// @notice Nodes of the owner: violations and tampering, proven or not, and what follows from them.
abstract contract Violating is Reports, Custodians {
    mapping(address requestor => mapping(address custodian => mapping(DatasetId dataset => uint32))) private violations;

    function reportViolation(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        Proof memory proof = _proof(dice, true);
        (address caller, Faults memory faults) = _settlersFaults(dice, proof);
        Report memory report = proof.first;
        bool known = past[report.package].requestor != address(0);
        if (known && _found(past[report.package].usage, report.actions) == 0) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.NoViolation.selector, report.actions));
        }
        if (known) _signatureFaults(faults, proof, proof.firstHand, report.time);
        bytes memory input =
            abi.encodeCall(IMedShare.reportViolation, (report, proof.firstSignature, proof.session, proof.delegation));
        Answer memory answer = _send(caller, input, Bounds.VIOLATION + _allowance(proof, true));
        _mustAnswer(answer, faults);
        if (!answer.done) return;
        require(_isViolation(past[report.package].usage, report.actions), "an accepted violation is none by `judge`");
        _settled(caller, report, report.actions, 0, answer.logs);
        _count("violation");
    }

    function reportTampering(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        Proof memory proof = _proof(dice, false);
        (address caller, Faults memory faults) = _settlersFaults(dice, proof);
        (Report memory first, Report memory second) = (proof.first, proof.second);
        if (past[first.package].requestor != address(0)) {
            bool same = PackageId.unwrap(first.package) == PackageId.unwrap(second.package);
            bool contradict = same && first.number == second.number && _digestOf(first) != _digestOf(second);
            if (!contradict) {
                faults.add(abi.encodeWithSelector(IMedShareErrors.NotTampering.selector, second.package, second.number));
            }
            _signatureFaults(faults, proof, proof.firstHand, first.time);
            _signatureFaults(faults, proof, proof.secondHand, second.time);
        }
        bytes memory input = abi.encodeCall(
            IMedShare.reportTampering,
            (first, proof.firstSignature, second, proof.secondSignature, proof.session, proof.delegation)
        );
        Answer memory answer = _send(caller, input, Bounds.TAMPERING + _allowance(proof, false));
        _mustAnswer(answer, faults);
        if (!answer.done) return;
        require(_isViolation(past[first.package].usage, TAMPERING), "tampering is none by `judge`");
        _settled(caller, first, TAMPERING, 1, answer.logs);
        _count("tampering");
    }

    // ---------------------------------------------------------------- who may, and when

    function _settlersFaults(Dice memory dice, Proof memory proof)
        private
        view
        returns (address caller, Faults memory faults)
    {
        PackageId id = proof.first.package;
        caller = _mostly(dice, _nodeOf(dice, past[id].custodian));
        faults = _ownersFaults(id, caller, _live());
        if (!_isNode(caller)) faults.add(IMedShareErrors.NotNode.selector, caller);
        uint32 number = proof.first.number;
        uint32 settled = past[id].settled;
        if (number <= settled) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.AlreadySettled.selector, number, settled));
        }
    }

    /// @dev The allowances that code may add: for one signature, or a delegation, or both reports'.
    function _allowance(Proof memory proof, bool single) private view returns (uint256 allowance) {
        address wallet = past[proof.first.package].requestor;
        bool session = proof.session.key != address(0);
        if (_asksCode(wallet, session ? proof.delegator : proof.firstHand)) allowance += Bounds.WALLET;
        if (!session && !single && _asksCode(wallet, proof.secondHand)) allowance += Bounds.WALLET;
    }

    // ---------------------------------------------------------------- the judge

    /// @dev The actions that the usage contract has something against, by the words of it.
    function _found(Usage memory usage, uint8 actions) private pure returns (uint8) {
        uint8 allowed = usage.sensitivity == Sensitivity.Low ? usage.granted | usage.exempt : usage.granted;
        return actions & ~(allowed | DECRYPT);
    }

    function _isViolation(Usage memory usage, uint8 actions) private view returns (bool) {
        for (uint8 action = 0; action < 8; action++) {
            if (actions & (1 << action) == 0) continue;
            Verdict verdict = med.judge(usage.sensitivity, usage.granted, usage.exempt, action);
            if (verdict == Verdict.Violation) return true;
        }
        return false;
    }

    // ---------------------------------------------------------------- what follows

    function _settled(address caller, Report memory report, uint8 actions, uint8 reason, Vm.Log[] memory logs) private {
        bytes32 digest = _digestOf(report);
        require(!settledReports[digest], "a report settled twice");
        settledReports[digest] = true;
        PackageId id = report.package;
        Past storage its = past[id];
        require(report.number > its.settled, "a number that does not rise");
        (its.settled, its.lost, its.violated) = (report.number, true, true);
        uint32 violation = ++violations[its.requestor][its.custodian][its.dataset];
        bytes32 by = bytes32(uint256(uint160(caller)));
        _told(logs[0], IMedShareEvents.ViolationAccepted.selector, id, abi.encode(report.number, actions, digest));
        _told(logs[1], IMedShareEvents.PackageRevoked.selector, id, abi.encode(reason));
        require(logs[1].topics[2] == by, "revoked by another");
        _responded(logs[2], id, ActionKind.RevokePackage, violation);
        uint256 next = 3;
        uint32[4] memory from = published[its.custodian][its.dataset];
        for (uint256 kind = 1; kind < 4; kind++) {
            if (from[kind] == 0 || violation < from[kind]) continue;
            _responded(logs[next++], id, ActionKind(kind), violation);
            _lose(its, ActionKind(kind));
        }
        require(logs.length == next, "a response too many");
    }

    /// @dev Every package of this requestor and dataset, or of this requestor and owner, is lost with it.
    function _lose(Past storage violated, ActionKind kind) private {
        if (kind == ActionKind.RefuseRequests) _count("refused further requests");
        if (kind == ActionKind.RevokeDataset) _count("revoked the dataset");
        if (kind == ActionKind.RevokeOwner) _count("revoked the owner's");
        if (kind == ActionKind.RefuseRequests) return;
        for (uint256 i = 0; i < packages.length; i++) {
            Past storage its = past[packages[i]];
            bool theirs = its.requestor == violated.requestor && its.custodian == violated.custodian;
            bool meant =
                kind == ActionKind.RevokeOwner || DatasetId.unwrap(its.dataset) == DatasetId.unwrap(violated.dataset);
            if (theirs && meant && !its.lost) {
                its.lost = true;
                _count("lost with another");
            }
        }
    }

    function _responded(Vm.Log memory log, PackageId id, ActionKind kind, uint32 violation) private view {
        _told(log, IMedShareEvents.ResponseTaken.selector, id, abi.encode(kind, violation));
        require(address(uint160(uint256(log.topics[2]))) == past[id].requestor, "another requestor");
        require(address(uint160(uint256(log.topics[3]))) == past[id].custodian, "another custodian");
    }

    function _told(Vm.Log memory log, bytes32 topic, PackageId id, bytes memory data) private pure {
        require(log.topics[0] == topic && log.topics[1] == PackageId.unwrap(id), "told something else");
        require(keccak256(log.data) == keccak256(data), "told otherwise");
    }
}
