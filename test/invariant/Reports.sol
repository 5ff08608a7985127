// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../../contracts/interfaces/IMedShareErrors.sol";
import {PackageId, Report, Session} from "../../contracts/interfaces/Types.sol";
import {Messages} from "../Messages.sol";
import {Dice} from "./Dice.sol";
import {Faults} from "./Faults.sol";
import {World} from "./World.sol";

/// @notice Reports as they come out of side-chains, signed by a session key or by the wallet itself, and forged ones.
abstract contract Reports is World {
    /// @dev One report, or two that may contradict each other, and what their signers know of them.
    struct Proof {
        Report first;
        Report second;
        bytes firstSignature;
        bytes secondSignature;
        Hand firstHand; // the session's key is its own; where there is no session, it is the wallet's that counts
        Hand secondHand;
        Session session; // key zero: none
        bytes delegation;
        Hand delegator;
    }

    /// @dev Earlier proofs, encoded, to be used again: after a re-grant for instance.
    bytes[] private proofs;

    function _proof(Dice memory dice, bool single) internal returns (Proof memory proof) {
        if (proofs.length > 0 && dice.oneIn(8)) return abi.decode(proofs[dice.below(proofs.length)], (Proof));
        PackageId id = _settleable(dice);
        proof.first = _report(dice, id);
        proof.second = _another(dice, proof.first);
        if (single && dice.oneIn(6)) proof.first.actions = uint8(dice.below(256)) & (past[id].usage.granted | DECRYPT);
        if (dice.oneIn(2)) _delegate(dice, proof);
        (proof.firstHand, proof.firstSignature) = _signedBy(dice, proof, proof.first);
        (proof.secondHand, proof.secondSignature) = _signedBy(dice, proof, proof.second);
        if (proofs.length < 20) proofs.push(abi.encode(proof));
        else proofs[dice.below(20)] = abi.encode(proof);
    }

    /// @dev A package that is live and whose owner has a node, if a few tries find one.
    function _settleable(Dice memory dice) private view returns (PackageId id) {
        for (uint256 tries = 0; tries < 4; tries++) {
            id = _package(dice, _live());
            bool live = _live() & _bit(replica.stateOf(id)) != 0;
            if (live && _isNode(_nodeOf(dice, past[id].custodian))) return id;
        }
    }

    /// @dev Mostly with a number higher than the last one settled.
    function _report(Dice memory dice, PackageId id) private view returns (Report memory) {
        uint32 settled = past[id].settled;
        uint32 number = dice.oneIn(12) ? uint32(dice.below(settled + 1)) : settled + 1 + uint32(dice.below(3));
        uint64 time = _later(0) - uint64(dice.below(1 hours) * 1000);
        return Report(id, number, dice.word(), uint8(dice.below(256)), time, dice.word());
    }

    /// @dev Another report of the same number; now and then the same one, or one that contradicts nothing.
    function _another(Dice memory dice, Report memory first) private view returns (Report memory second) {
        second = Report(first.package, first.number, first.previous, first.actions, first.time, dice.word());
        uint256 kind = dice.below(20);
        if (kind == 0) second.body = first.body;
        if (kind == 1) second.number++;
        if (kind == 2) second.package = _package(dice, _live());
    }

    /// @dev A session that covers both reports; now and then one that does not, or of another package.
    function _delegate(Dice memory dice, Proof memory proof) private view {
        PackageId id = proof.first.package;
        uint64 expiry = dice.oneIn(10) ? proof.first.time : proof.first.time + 1 + uint64(dice.below(1 hours));
        proof.session = Session(dice.oneIn(10) ? _package(dice, _live()) : id, sessionKey.addr, expiry);
        // Nobody is the session's key, which a node, say, delegates to by itself.
        proof.delegator = _handOrNobodys(dice, past[id].requestor, 8);
        proof.delegation = _signBy(proof.delegator, past[id].requestor, Messages.session(proof.session));
    }

    function _signedBy(Dice memory dice, Proof memory proof, Report memory report)
        private
        view
        returns (Hand hand, bytes memory signature)
    {
        bytes32 hash = Messages.report(report);
        if (dice.oneIn(10)) return (Hand.Nobody, _sign(nodes[dice.below(NODES)], hash));
        if (proof.session.key != address(0)) return (Hand.Own, _sign(sessionKey, hash));
        address wallet = past[proof.first.package].requestor;
        hand = _hand(dice, wallet);
        return (hand, _signBy(hand, wallet, hash));
    }

    /// @dev What is wrong with the signature of one of the reports, or with the delegation.
    function _signatureFaults(Faults memory faults, Proof memory proof, Hand hand, uint64 time) internal view {
        address wallet = past[proof.first.package].requestor;
        if (proof.session.key == address(0)) {
            if (!_counts(wallet, hand)) faults.add(IMedShareErrors.BadSignature.selector, wallet);
            return;
        }
        bool mismatch = PackageId.unwrap(proof.session.package) != PackageId.unwrap(proof.first.package)
            || time >= proof.session.expiry;
        if (mismatch) {
            faults.add(
                abi.encodeWithSelector(
                    IMedShareErrors.SessionMismatch.selector, proof.session.package, proof.session.expiry
                )
            );
        }
        if (!_counts(wallet, proof.delegator)) faults.add(IMedShareErrors.BadSignature.selector, wallet);
        if (hand == Hand.Nobody) faults.add(IMedShareErrors.BadSignature.selector, proof.session.key);
    }

    function _digestOf(Report memory report) internal view returns (bytes32) {
        return Messages.digest(address(med), Messages.report(report));
    }
}
