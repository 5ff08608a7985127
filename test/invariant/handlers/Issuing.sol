// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShare} from "../../../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../../../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../../../contracts/interfaces/IMedShareEvents.sol";
import {AccessRequest, Item, PackageId, State, Usage} from "../../../contracts/interfaces/Types.sol";
import {Miner} from "../../Miner.sol";
import {Bounds} from "../Bounds.sol";
import {Dice} from "../Dice.sol";
import {Drafts} from "../Drafts.sol";
import {FaultSet, Faults} from "../Faults.sol";

/// @notice Nodes: batches of items, good and bad ones mixed.
abstract contract Issuing is Drafts {
    struct Batch {
        Draft[] drafts;
        Faults[] faults;
        bytes32[] digests;
        uint256 good;
        uint256 asked; // wallets with code
    }

    function issue(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        address node_ = _nodeOf(dice, _working(dice));
        address caller = _mostly(dice, node_);
        Faults memory faults = FaultSet.none();
        if (!_isNode(caller)) faults.add(IMedShareErrors.NotNode.selector, caller);
        Batch memory batch = _batch(dice, node_, caller);
        bytes memory input = abi.encodeCall(IMedShare.issue, (_itemsOf(batch)));
        bool idle = batch.good == 0;
        if (idle) vm.record();
        // With no more gas than its bound: enough, whatever the wallets do with theirs.
        uint256 bound_ = Bounds.issue(batch.drafts.length, batch.asked);
        Answer memory answer = _sendWith(bound_, caller, input, bound_);
        _mustAnswer(answer, faults);
        if (answer.done) _compare(batch, caller, answer.logs);
        if (answer.done && idle) _nothingWritten();
    }

    /// @dev Drafts of `node_`, each on top of those before, as `caller` sends them.
    function _batch(Dice memory dice, address node_, address caller) private returns (Batch memory batch) {
        uint256 length = 1 + dice.below(3);
        (batch.drafts, batch.faults) = (new Draft[](length), new Faults[](length));
        batch.digests = new bytes32[](length);
        for (uint256 i = 0; i < length; i++) {
            Draft memory draft = _draft(dice, node_);
            batch.drafts[i] = draft;
            if (_asksCode(draft.item.request.requestor, draft.hand)) batch.asked++;
            if (!_isNode(caller)) continue;
            batch.digests[i] = _digest(draft.item.request);
            batch.faults[i] = _itemFaults(draft, caller);
            if (batch.faults[i].count != 0) continue;
            _remember(draft);
            batch.good++;
        }
    }

    function _itemsOf(Batch memory batch) private pure returns (Item[] memory items) {
        items = new Item[](batch.drafts.length);
        for (uint256 i = 0; i < items.length; i++) {
            items[i] = batch.drafts[i].item;
        }
    }

    /// @dev A good item becomes a package, and its block the head of its requestor's thread.
    function _remember(Draft memory draft) private {
        AccessRequest memory request = draft.item.request;
        PackageId id = _idOf(request);
        threads[request.requestor] = Miner.hashOf(draft.block_, draft.nonce);
        packages.push(id);
        Past storage its = past[id];
        (its.requestor, its.custodian, its.dataset) = (request.requestor, request.custodian, request.dataset);
        (its.usage, its.head) = (draft.item.usage, draft.block_.leaf);
    }

    // ---------------------------------------------------------------- what is wrong with an item

    function _itemFaults(Draft memory draft, address node_) private view returns (Faults memory faults) {
        faults = FaultSet.none();
        _requestFaults(faults, draft);
        _usageFaults(faults, draft.item.usage);
        _secondFaults(faults, draft, node_);
        Item memory item = draft.item;
        bytes32 head = _head(item.request.requestor);
        if (item.expectedHead != head) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.StaleHead.selector, item.expectedHead, head));
        } else if (item.entry.length != 80) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.BadEntryLength.selector, item.entry.length));
        } else {
            if (draft.block_.leaf == 0) faults.add(IMedShareErrors.ZeroValue.selector, bytes32("leaf"));
            _blockFaults(faults, draft.block_, draft.nonce);
        }
    }

    function _requestFaults(Faults memory faults, Draft memory draft) private view {
        AccessRequest memory request = draft.item.request;
        (address who, address custodian) = (request.requestor, request.custodian);
        bytes32 credential = replica.credentialOf(who);
        if (credential == 0) faults.add(IMedShareErrors.UnknownRequestor.selector, who);
        if (replica.suspenderOf(credential) != address(0)) faults.add(IMedShareErrors.Suspended.selector, credential);
        if (replica.isRefused(custodian, who)) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.Refused.selector, custodian, who));
        }
        if (!replica.isOffered(custodian, request.dataset)) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.UnknownDataset.selector, custodian, request.dataset));
        } else if (!replica.isPurpose(custodian, request.dataset, request.purpose)) {
            faults.add(IMedShareErrors.PurposeNotAllowed.selector, request.purpose);
        }
        _deadlineFault(faults, request.deadline);
        bytes32 id = PackageId.unwrap(_idOf(request));
        if (past[PackageId.wrap(id)].requestor != address(0)) faults.add(IMedShareErrors.AlreadyIssued.selector, id);
        if (!_counts(who, draft.hand)) faults.add(IMedShareErrors.BadSignature.selector, who);
    }

    function _usageFaults(Faults memory faults, Usage memory usage) private view {
        bool sound = usage.granted < 64 && usage.exempt < 64 && usage.environment < 2 && usage.contractKey != 0
            && usage.expiry > _later(0);
        if (!sound) faults.add(abi.encodeWithSelector(IMedShareErrors.BadUsage.selector, usage));
    }

    function _secondFaults(Faults memory faults, Draft memory draft, address node_) private view {
        Item memory item = draft.item;
        address custodian = item.request.custodian;
        if (replica.custodianOf(node_) != custodian) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, _idOf(item.request), node_));
        }
        address its = replica.custodianOf(item.verifier);
        if (its == address(0)) faults.add(IMedShareErrors.UnknownNode.selector, item.verifier);
        if (item.verifier == node_) faults.add(IMedShareErrors.VerifierIsSender.selector, node_);
        if (its == custodian && replica.custodianCount() > 1) {
            faults.add(IMedShareErrors.VerifierOfSameCustodian.selector, item.verifier);
        }
        _deadlineFault(faults, item.validationDeadline);
        if (!draft.validated) faults.add(IMedShareErrors.BadSignature.selector, item.verifier);
    }

    function _deadlineFault(Faults memory faults, uint64 deadline) private view {
        if (_later(0) <= deadline) return;
        faults.add(abi.encodeWithSelector(IMedShareErrors.DeadlinePassed.selector, deadline, uint256(_later(0))));
    }

    // ---------------------------------------------------------------- what became of it

    function _compare(Batch memory batch, address node_, Vm.Log[] memory logs) private {
        require(logs.length == batch.drafts.length, "issue: one event an item");
        for (uint256 i = 0; i < logs.length; i++) {
            Item memory item = batch.drafts[i].item;
            PackageId id = _idOf(item.request);
            require(logs[i].topics[1] == PackageId.unwrap(id), "issue: the items in order");
            bool issued = logs[i].topics[0] == IMedShareEvents.PackageIssued.selector;
            if (issued) _checkIssued(batch.drafts[i], node_, id, logs[i]);
            require(issued == (batch.faults[i].count == 0), "issue: a good item skipped, or a bad one issued");
            if (issued) continue;
            bytes memory reason = abi.decode(logs[i].data, (bytes));
            require(batch.faults[i].hold(reason), "issue: skipped for another reason");
            _countSkipped(batch.drafts[i], bytes4(reason));
            if (!_extended(batch, item.request.requestor)) {
                require(_digest(item.request) == batch.digests[i], "a skipped item changed something");
            }
        }
    }

    function _checkIssued(Draft memory draft, address node_, PackageId id, Vm.Log memory log) private {
        Item memory item = draft.item;
        require(requested[id], "a package without its requestor's signature");
        bool two = item.verifier != node_ && _isNode(item.verifier) && _isNode(node_);
        require(two, "a package that does not bear two different registered nodes");
        bytes memory data =
            abi.encode(item.request, item.usage, item.payloadHash, item.formDigest, node_, item.verifier, item.entry);
        require(keccak256(log.data) == keccak256(data), "PackageIssued tells something else");
        address who = item.request.requestor;
        _count(_isWallet(who) ? bytes32("issued to the wallet") : bytes32("issued"));
        if (_delegates(who)) {
            _count(draft.hand == Hand.Own ? bytes32("issued though delegating") : bytes32("issued as code agrees"));
        }
        if (replica.custodianCount() == 1) _count("issued by a lone custodian");
    }

    function _countSkipped(Draft memory draft, bytes4 reason) private {
        _count("item skipped");
        _count(reason);
        if (reason == IMedShareErrors.ZeroValue.selector) _count("leaf of zero");
        bool burnt = _isWallet(draft.item.request.requestor) ? burns : delegatedTo == Code.Burning;
        bool asked = _asksCode(draft.item.request.requestor, draft.hand);
        if (burnt && asked && reason == IMedShareErrors.BadSignature.selector) _count("skipped as code burns");
    }

    function _extended(Batch memory batch, address who) private pure returns (bool) {
        for (uint256 i = 0; i < batch.drafts.length; i++) {
            bool good = batch.faults[i].count == 0;
            if (good && batch.drafts[i].item.request.requestor == who) return true;
        }
        return false;
    }

    /// @dev What an item can touch, as the contract answers now.
    function _digest(AccessRequest memory request) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                med.packageOf(_idOf(request)),
                med.threadHead(request.requestor),
                med.requestorOf(request.requestor),
                med.isRefused(request.custodian, request.requestor)
            )
        );
    }
}
