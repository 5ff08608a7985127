// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../../../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../../../contracts/interfaces/IMedShareErrors.sol";
import {DatasetId, Item, PackageId, Registration, Response, Segment} from "../../../contracts/interfaces/Types.sol";
import {Messages} from "../../Messages.sol";
import {Bounds} from "../Bounds.sol";
import {Dice} from "../Dice.sol";
import {FaultSet, Faults} from "../Faults.sol";
import {Drafts} from "../Drafts.sol";
import {Pieces} from "../Pieces.sol";
import {Reports} from "../Reports.sol";
import {Registrations} from "./Registrations.sol";

/// @notice Whoever has no part in the consortium, or is a mere requestor, tries everything, with what would be good in
/// the right hands.
abstract contract Strangers is Drafts, Pieces, Reports, Registrations {
    function intrude(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        address caller = dice.oneIn(2) ? stranger : _requestor(dice);
        Faults memory faults = FaultSet.none();
        uint256 kind = dice.below(5);
        bytes memory input;
        if (kind == 0) input = _asGovernance(dice, caller, faults);
        if (kind == 1) input = _asCustodian(dice, caller, faults);
        if (kind == 2) input = _asNode(dice, caller, faults);
        if (kind == 3) input = _asOwner(dice, caller, faults);
        if (kind == 4) input = _asSuspender(dice, caller, faults);
        _expect(caller, input, Bounds.STRANGER, faults);
        _count("refused a stranger");
    }

    function _asGovernance(Dice memory dice, address caller, Faults memory faults) private returns (bytes memory) {
        faults.add(FaultSet.unauthorized(caller));
        uint256 call = dice.below(5);
        address custodian = _custodian(dice);
        if (call == 0) return abi.encodeCall(IMedShare.admitCustodian, (caller));
        if (call == 1) return abi.encodeCall(IMedShare.removeCustodian, (custodian));
        if (call == 2) return abi.encodeCall(IMedShare.setWorkLimit, (EASIEST));
        if (call == 3) return abi.encodeCall(med.grantRole, (bytes32(0), caller));
        return abi.encodeCall(med.revokeRole, (bytes32(0), governors[dice.below(2)]));
    }

    function _asCustodian(Dice memory dice, address caller, Faults memory faults) private returns (bytes memory) {
        faults.add(IMedShareErrors.NotCustodian.selector, caller);
        uint256 call = dice.below(5);
        DatasetId dataset = datasets[dice.below(2)];
        address node_ = nodes[dice.below(NODES)].addr;
        if (call == 0) {
            return abi.encodeCall(IMedShare.registerNode, (dice.oneIn(2) ? caller : node_, SEALING_KEY, ""));
        }
        if (call == 1) return abi.encodeCall(IMedShare.removeNode, (node_));
        if (call == 2) return abi.encodeCall(IMedShare.withdrawDataset, (dataset));
        if (call == 3) return abi.encodeCall(IMedShare.allowRequests, (_requestor(dice)));
        (bytes32[] memory list, Response[] memory responses) = (new bytes32[](0), new Response[](0));
        return abi.encodeCall(IMedShare.publishDataset, (dataset, dice.word(), list, responses));
    }

    function _asNode(Dice memory dice, address caller, Faults memory faults) private returns (bytes memory) {
        faults.add(IMedShareErrors.NotNode.selector, caller);
        uint256 call = dice.below(5);
        if (call == 0) {
            Registration memory registration = _registration(dice);
            bytes memory signature = _signAs(registration.requestor, Messages.registration(registration));
            return abi.encodeCall(IMedShare.registerRequestor, (registration, signature));
        }
        if (call == 1) {
            Item[] memory items = new Item[](1);
            items[0] = _draft(dice, _nodeOf(dice, _working(dice))).item;
            return abi.encodeCall(IMedShare.issue, (items));
        }
        if (call == 2) {
            Piece memory piece = _piece(dice, _custodian(dice));
            Segment[] memory segments = new Segment[](1);
            segments[0] = piece.segment;
            return abi.encodeCall(IMedShare.anchorReports, (segments, piece.entries));
        }
        Proof memory proof = _proof(dice, call == 3);
        if (call == 3) {
            return abi.encodeCall(
                IMedShare.reportViolation, (proof.first, proof.firstSignature, proof.session, proof.delegation)
            );
        }
        return abi.encodeCall(
            IMedShare.reportTampering,
            (proof.first, proof.firstSignature, proof.second, proof.secondSignature, proof.session, proof.delegation)
        );
    }

    function _asOwner(Dice memory dice, address caller, Faults memory faults) private returns (bytes memory) {
        PackageId id = _package(dice, ~uint256(0));
        bytes4 error_ = past[id].requestor == address(0)
            ? IMedShareErrors.UnknownPackage.selector
            : IMedShareErrors.NotOwner.selector;
        bool known = error_ == IMedShareErrors.NotOwner.selector;
        faults.add(known ? abi.encodeWithSelector(error_, id, caller) : abi.encodeWithSelector(error_, id));
        // What another state would say instead.
        faults.add(abi.encodeWithSelector(IMedShareErrors.WrongState.selector, id, replica.stateOf(id)));
        uint256 call = dice.below(3);
        if (call == 0) return abi.encodeCall(IMedShare.revoke, (id, uint8(2)));
        if (call == 1) return abi.encodeCall(IMedShare.regrant, (id));
        bytes memory signature = _signAs(past[id].requestor, Messages.deletion(id, _later(0)));
        return abi.encodeCall(IMedShare.retrieve, (id, _later(0), signature));
    }

    function _asSuspender(Dice memory dice, address caller, Faults memory faults) private view returns (bytes memory) {
        address who = _requestor(dice);
        bytes32 credential = replica.credentialOf(who);
        if (credential == 0) faults.add(IMedShareErrors.UnknownRequestor.selector, who);
        else faults.add(IMedShareErrors.NotPermitted.selector, caller);
        if (dice.oneIn(2)) return abi.encodeCall(IMedShare.suspend, (who));
        return abi.encodeCall(IMedShare.reinstate, (who));
    }
}
