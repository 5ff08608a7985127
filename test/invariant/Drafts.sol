// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, DatasetId, Item, PackageId, Sensitivity, Usage} from "../../contracts/interfaces/Types.sol";
import {Messages} from "../Messages.sol";
import {Miner} from "../Miner.sol";
import {Dice} from "./Dice.sol";
import {Mining} from "./Mining.sol";

/// @notice Items as nodes draft them, most of them good, each with what its drafter knows of it.
abstract contract Drafts is Mining {
    struct Draft {
        Item item;
        Hand hand; // whose signature is over this very request
        bool validated; // by the verifier's own key, over this very validation
        Miner.Block block_; // what the entry was made from
        uint32 nonce;
    }

    /// @dev What may be wrong with an item.
    enum Flaw {
        None,
        RequestTooLate,
        ValidationTooLate,
        OtherPurpose,
        OtherDataset,
        OtherCustodian,
        UnsoundUsage,
        OwnSecond,
        SecondOfTheSame,
        NoSecond,
        NoRequestor,
        StaleHead,
        WeakWork,
        EasierTarget,
        BlockFromTheFuture,
        EntryCut,
        LeafOfZero,
        ForeignRequest,
        RequestAltered,
        ForgedValidation,
        ValidatedOther,
        Again
    }

    /// @dev Earlier drafts, encoded, to be sent again.
    bytes[] private sent;

    function _draft(Dice memory dice, address node_) internal returns (Draft memory draft) {
        Flaw flaw = dice.oneIn(4) ? Flaw(dice.below(uint256(type(Flaw).max) + 1)) : Flaw.None;
        // Where there is one custodian, nothing else is wrong with a sender that is its own second node.
        if (replica.custodianCount() == 1 && dice.oneIn(6)) flaw = Flaw.OwnSecond;
        if (flaw == Flaw.Again && sent.length > 0) return abi.decode(sent[dice.below(sent.length)], (Draft));
        _ask(dice, draft.item, replica.custodianOf(node_));
        _answer(dice, draft.item, node_);
        _spoilTerms(dice, draft.item, node_, flaw);
        _mine(dice, draft, flaw);
        _signRequest(dice, draft, flaw);
        _validate(draft, node_, flaw);
        if (sent.length < 20) sent.push(abi.encode(draft));
        else sent[dice.below(20)] = abi.encode(draft);
    }

    // ---------------------------------------------------------------- terms

    function _ask(Dice memory dice, Item memory item, address custodian) private view {
        uint256 which = dice.below(2);
        DatasetId dataset = datasets[which];
        if (!replica.isOffered(custodian, dataset)) dataset = datasets[1 - which];
        bytes32 purpose = purposes[0];
        for (uint256 i = 1; i < 3 && !replica.isPurpose(custodian, dataset, purpose); i++) {
            purpose = purposes[i];
        }
        uint64 deadline = _later(dice.below(1 days));
        address who = _requestor(dice);
        for (uint256 tries = 0; tries < 6 && !_mayAsk(who, custodian); tries++) {
            who = _requestor(dice);
        }
        item.request = AccessRequest(who, custodian, dataset, purpose, dice.word(), dice.word(), deadline);
    }

    function _mayAsk(address who, address custodian) private view returns (bool) {
        bytes32 credential = replica.credentialOf(who);
        bool standing = credential != 0 && replica.suspenderOf(credential) == address(0);
        return standing && !replica.isRefused(custodian, who);
    }

    function _answer(Dice memory dice, Item memory item, address node_) private view {
        (uint8 granted, uint8 exempt, uint8 environment) =
            (uint8(dice.below(64)), uint8(dice.below(64)), uint8(dice.below(3)));
        uint64 expiry = dice.oneIn(5) ? type(uint64).max : _later(1 + dice.below(dice.oneIn(3) ? 1 hours : 30 days));
        item.usage = Usage(Sensitivity(dice.below(2)), granted, exempt, environment, expiry, dice.word());
        (item.payloadHash, item.formDigest) = (dice.word(), dice.word());
        item.validationDeadline = _later(dice.below(600));
        item.verifier = _second(dice, node_, item.request.custodian);
    }

    /// @dev Another node, of another custodian where there is one.
    function _second(Dice memory dice, address node_, address custodian) private view returns (address second) {
        bool alone = replica.custodianCount() < 2;
        uint256 first = dice.below(NODES);
        for (uint256 i = 0; i < NODES; i++) {
            second = nodes[(first + i) % NODES].addr;
            address its = replica.custodianOf(second);
            if (its != address(0) && second != node_ && (alone || its != custodian)) return second;
        }
    }

    function _spoilTerms(Dice memory dice, Item memory item, address node_, Flaw flaw) private view {
        if (flaw == Flaw.RequestTooLate) item.request.deadline = _later(0) - 1;
        if (flaw == Flaw.ValidationTooLate) item.validationDeadline = _later(0) - 1;
        if (flaw == Flaw.OtherPurpose) item.request.purpose = purposes[dice.below(3)];
        if (flaw == Flaw.OtherDataset) {
            item.request.dataset = dice.oneIn(2) ? DatasetId.wrap(dice.word()) : datasets[dice.below(2)];
        }
        if (flaw == Flaw.OtherCustodian) item.request.custodian = _custodian(dice);
        if (flaw == Flaw.UnsoundUsage) _unsound(dice, item.usage);
        if (flaw == Flaw.OwnSecond) item.verifier = node_;
        if (flaw == Flaw.SecondOfTheSame) item.verifier = _nodeOf(dice, item.request.custodian);
        if (flaw == Flaw.NoSecond) item.verifier = dice.oneIn(2) ? sessionKey.addr : nodes[dice.below(NODES)].addr;
        if (flaw == Flaw.NoRequestor) item.request.requestor = dice.oneIn(2) ? stranger : _requestor(dice);
    }

    function _unsound(Dice memory dice, Usage memory usage) private view {
        uint256 field = dice.below(5);
        if (field == 0) usage.granted |= uint8(0x40 << dice.below(2));
        if (field == 1) usage.exempt |= uint8(0x40 << dice.below(2));
        if (field == 2) usage.environment = uint8(3 + dice.below(253));
        if (field == 3) usage.expiry = _later(0) - uint64(dice.below(2));
        if (field == 4) usage.contractKey = 0;
    }

    // ---------------------------------------------------------------- block and signatures

    function _mine(Dice memory dice, Draft memory draft, Flaw flaw) private view {
        Item memory item = draft.item;
        item.expectedHead = flaw == Flaw.StaleHead ? dice.word() : _head(item.request.requestor);
        draft.block_ = _blockOn(dice, item.expectedHead);
        if (flaw == Flaw.BlockFromTheFuture) draft.block_.time += uint32(121 + dice.below(1 days));
        if (flaw == Flaw.EasierTarget) draft.block_.bits = EASIEST;
        if (flaw == Flaw.LeafOfZero) draft.block_.leaf = 0;
        draft.nonce = flaw == Flaw.WeakWork ? _weak(draft.block_) : _worked(draft.block_);
        item.entry = Miner.entryOf(draft.block_, draft.nonce);
        if (flaw == Flaw.EntryCut) {
            item.entry = dice.oneIn(2) ? new bytes(dice.below(80)) : bytes.concat(item.entry, "0");
        }
    }

    function _signRequest(Dice memory dice, Draft memory draft, Flaw flaw) private {
        AccessRequest memory request = draft.item.request;
        bool foreign = flaw == Flaw.ForeignRequest || request.requestor == stranger;
        draft.hand = foreign ? Hand.Nobody : _hand(dice, request.requestor);
        draft.item.requestSignature = _signBy(draft.hand, request.requestor, Messages.request(request));
        if (draft.hand != Hand.Nobody) requested[_idOf(request)] = true;
        if (flaw == Flaw.RequestAltered) {
            request.selection = ~request.selection;
            draft.hand = Hand.Nobody;
        }
    }

    function _validate(Draft memory draft, address node_, Flaw flaw) private view {
        Item memory item = draft.item;
        bytes32 validation = Messages.validation(
            _idOf(item.request), item.payloadHash, item.formDigest, item.usage, item.validationDeadline
        );
        // The sender, or whoever it may be, instead of the second node.
        draft.validated = _keyOf(item.verifier).addr == item.verifier && flaw != Flaw.ForgedValidation;
        item.validationSignature = _sign(draft.validated ? _keyOf(item.verifier) : _keyOf(node_), validation);
        if (flaw == Flaw.ForgedValidation) draft.validated = node_ == item.verifier;
        if (flaw == Flaw.ValidatedOther) {
            item.usage.granted ^= 1;
            draft.validated = false;
        }
    }

    function _idOf(AccessRequest memory request) internal view returns (PackageId) {
        return PackageId.wrap(Messages.digest(address(med), Messages.request(request)));
    }
}
