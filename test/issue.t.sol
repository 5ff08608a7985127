// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {DatasetId, Item, PackageId, PackageView, Sensitivity, State} from "../contracts/interfaces/Types.sol";
import {Skips} from "./Skips.sol";
import {Miner} from "./Miner.sol";

contract IssueTest is Skips {
    function test_issues() public {
        Item memory item = _item();
        PackageId package = _idOf(item.request);
        vm.expectEmit(address(med));
        emit IMedShareEvents.PackageIssued(
            package,
            requestor.addr,
            hospital,
            item.request,
            item.usage,
            item.payloadHash,
            item.formDigest,
            node.addr,
            clinicNode.addr,
            item.entry
        );
        _issue(item);
        PackageView memory view_ = med.packageOf(package);
        assertEq(uint8(view_.state), uint8(State.Issued));
        assertEq(view_.requestor, requestor.addr);
        assertEq(view_.custodian, hospital);
        assertEq(DatasetId.unwrap(view_.dataset), DatasetId.unwrap(DATASET));
        assertEq(abi.encode(view_.usage), abi.encode(item.usage));
        assertEq(view_.head, keccak256(abi.encode(item.request.salt)), "the parent block's leaf hash");
        assertEq(view_.settled, 0);
        assertEq(view_.violations, 0);
    }

    function test_extendsTheThread() public {
        bytes32 origin = med.threadOrigin(requestor.addr);
        Item memory item = _item();
        assertEq(item.expectedHead, origin);
        (, bytes32 hash) = Miner.mine(_block(origin, keccak256(abi.encode(item.request.salt))));
        _issue(item);
        assertEq(med.threadHead(requestor.addr), hash);
        item = _item();
        assertEq(item.expectedHead, hash);
        _assertState(_issue(item), State.Issued);
    }

    function test_onlyNodes(address caller) public {
        vm.assume(caller != node.addr && caller != clinicNode.addr);
        Item[] memory items = _batch(_item());
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotNode.selector, caller));
        med.issue(items);
    }

    function test_aBadItemSpoilsNothing() public {
        Item[] memory items = new Item[](3);
        items[0] = _item();
        items[1] = _item();
        items[1].requestSignature = "";
        items[2] = _item();
        (bytes memory entry, bytes32 head) = Miner.mine(_block(items[0].expectedHead, "first"));
        (items[0].entry, items[1].expectedHead, items[2].expectedHead) = (entry, head, head);
        (items[1].entry,) = Miner.mine(_block(head, "skipped"));
        (items[2].entry,) = Miner.mine(_block(head, "second"));
        vm.expectEmit(address(med));
        emit IMedShareEvents.ItemSkipped(
            _idOf(items[1].request),
            node.addr,
            abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, requestor.addr)
        );
        vm.prank(node.addr);
        med.issue(items);
        _assertState(_idOf(items[0].request), State.Issued);
        _assertState(_idOf(items[1].request), State.None);
        _assertState(_idOf(items[2].request), State.Issued);
    }

    // ---------------------------------------------------------------- the usage contract

    function test_skipsAnUnsoundUsageContract(uint8 field) public {
        Item memory item = _item();
        field = field % 5;
        if (field == 0) item.usage.granted = 0x40;
        if (field == 1) item.usage.exempt = 0x80;
        if (field == 2) item.usage.environment = 3;
        if (field == 3) item.usage.contractKey = 0;
        if (field == 4) item.usage.expiry = _later(0);
        _complete(item);
        _skip(item, abi.encodeWithSelector(IMedShareErrors.BadUsage.selector, item.usage));
    }

    function test_holdsAnySoundUsageContract(bool low, uint8 granted, uint8 exempt, uint8 environment, uint64 expiry)
        public
    {
        Item memory item = _item();
        item.usage.sensitivity = low ? Sensitivity.Low : Sensitivity.High;
        item.usage.granted = granted & 0x3f;
        item.usage.exempt = exempt & 0x3f;
        item.usage.environment = environment % 3;
        item.usage.expiry = uint64(bound(expiry, _later(0) + 1, type(uint64).max));
        _complete(item);
        PackageId package = _issue(item);
        _assertState(package, State.Issued);
        assertEq(abi.encode(med.packageOf(package).usage), abi.encode(item.usage));
    }

    // ---------------------------------------------------------------- the parent block

    function test_skipsAStaleHead() public {
        Item memory first = _item();
        Item memory second = _item();
        bytes32 stale = second.expectedHead;
        _issue(first);
        bytes32 actual = med.threadHead(requestor.addr);
        _skip(second, abi.encodeWithSelector(IMedShareErrors.StaleHead.selector, stale, actual));
    }

    function test_skipsAnEntryOfAnotherLength(uint8 length) public {
        vm.assume(length != 80);
        Item memory item = _item();
        item.entry = new bytes(length);
        _skip(item, abi.encodeWithSelector(IMedShareErrors.BadEntryLength.selector, uint256(length)));
    }

    /// @notice A side-chain without an origin could not be anchored: its owner's node must not make one.
    function test_skipsALeafOfZero() public {
        Item memory item = _item();
        (item.entry,) = Miner.mine(_block(item.expectedHead, 0));
        _skip(item, abi.encodeWithSelector(IMedShareErrors.ZeroValue.selector, bytes32("leaf")));
    }

    function test_skipsTooLittleWork() public {
        Item memory item = _item();
        (bytes memory entry, bytes32 hash) = Miner.mineNothing(_block(item.expectedHead, "leaf"));
        item.entry = entry;
        _skip(item, abi.encodeWithSelector(IMedShareErrors.WorkTooLow.selector, hash, Miner.EASY));
    }

    function test_skipsATargetEasierThanTheLimit() public {
        vm.prank(admin);
        med.setWorkLimit(Miner.HARD);
        Item memory item = _item();
        (, bytes32 hash) = Miner.mine(_block(item.expectedHead, keccak256(abi.encode(item.request.salt))));
        _skip(item, abi.encodeWithSelector(IMedShareErrors.WorkTooLow.selector, hash, Miner.EASY));
    }

    function test_blockTime() public {
        Item memory item = _item();
        uint32 now_ = uint32(vm.getBlockTimestamp());
        Miner.Block memory block_ = _block(item.expectedHead, "leaf");
        block_.time = now_ + 121;
        (item.entry,) = Miner.mine(block_);
        _skip(item, abi.encodeWithSelector(IMedShareErrors.BlockFromTheFuture.selector, now_ + 121, now_));
        block_.time = now_ + 120;
        (item.entry,) = Miner.mine(block_);
        _assertState(_issue(item), State.Issued);
    }

    /// @notice A byte of the header changed: the hash is another, and the head with it, if the block still has the work
    /// that it claims (most still reach so easy a target) and its time and target will do.
    function test_anAlteredHeaderHasAnotherHash(uint256 at, uint8 change) public {
        alter(bound(at, 0, 47), uint8(bound(change, 1, 255)));
    }

    function test_everyByteOfTheHeaderCounts() public {
        uint256 start = vm.snapshotState();
        for (uint256 at = 0; at < 48; at++) {
            alter(at, 1);
            vm.revertToState(start);
        }
    }

    /// @notice The leaf hash is outside the header, so the head stays; but the side-chain begins with the altered one.
    function test_noWorkCoversTheLeaf(uint256 at, uint8 change) public {
        Item memory item = _item();
        at = bound(at, 48, 79);
        bytes32 honest = hashOf(item);
        item.entry[at] ^= bytes1(uint8(bound(change, 1, 255)));
        PackageId package = _issue(item);
        assertEq(med.threadHead(requestor.addr), honest);
        bytes32 leaf;
        for (uint256 i = 0; i < 32; i++) {
            leaf |= bytes32(item.entry[48 + i]) >> (8 * i);
        }
        assertEq(med.packageOf(package).head, leaf);
    }

    function alter(uint256 at, uint8 change) private {
        Item memory item = _item();
        bytes32 honest = hashOf(item);
        item.entry[at] ^= bytes1(change);
        bytes32 altered = hashOf(item);
        bool issued = _state(_issue(item)) == State.Issued;
        assertNotEq(altered, honest);
        assertEq(med.threadHead(requestor.addr), issued ? altered : item.expectedHead, vm.toString(at));
    }

    /// @dev Of the header that the entry is, on top of the head that it names.
    function hashOf(Item memory item) private pure returns (bytes32) {
        bytes memory header;
        for (uint256 at = 0; at < 48; at++) {
            if (at == 4) header = bytes.concat(header, item.expectedHead);
            header = bytes.concat(header, item.entry[at]);
        }
        return sha256(bytes.concat(sha256(header)));
    }
}
