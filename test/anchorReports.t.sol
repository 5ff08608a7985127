// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {PackageId, Segment, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Miner} from "./Miner.sol";

contract AnchorReportsTest is Base {
    PackageId private package;

    function setUp() public override {
        super.setUp();
        package = _issued();
    }

    function test_anchorsAndActivates() public {
        (Segment memory segment, bytes memory entries, bytes32 head) = _segment(package, 1);
        vm.expectEmit(address(med));
        emit IMedShareEvents.ReportsAnchored(package, node.addr, entries);
        anchor(segment, entries);
        assertEq(med.packageOf(package).head, head);
        assertTrue(med.packageOf(package).started);
        _assertState(package, State.Active);
    }

    function test_anchorsManyInOneSegment(uint8 count) public {
        (Segment memory segment, bytes memory entries, bytes32 head) = _segment(package, bound(count, 1, 40));
        anchor(segment, entries);
        assertEq(med.packageOf(package).head, head);
    }

    function test_anchorsUpTo512InOneSegment() public {
        (Segment memory segment, bytes memory entries, bytes32 head) = _segment(package, 512);
        anchor(segment, entries);
        assertEq(med.packageOf(package).head, head);
    }

    function test_severalPackagesInOneCallAndABadOneSpoilsNothing() public {
        PackageId second = _issued();
        Segment[] memory segments = new Segment[](3);
        bytes[] memory entries = new bytes[](3);
        bytes32 head;
        (segments[0], entries[0], head) = _segment(package, 2);
        (segments[1], entries[1],) = _segment(package, 1); // stale by then
        (segments[2], entries[2],) = _segment(second, 1);
        vm.expectEmit(address(med));
        bytes memory reason =
            abi.encodeWithSelector(IMedShareErrors.StaleHead.selector, bytes32(segments[1].expectedHead), head);
        emit IMedShareEvents.SegmentSkipped(package, node.addr, reason);
        vm.expectEmit(address(med));
        emit IMedShareEvents.ReportsAnchored(second, node.addr, entries[2]);
        vm.prank(node.addr);
        med.anchorReports(segments, abi.encodePacked(entries[0], entries[1], entries[2]));
        assertEq(med.packageOf(package).head, head);
        _assertState(second, State.Active);
    }

    function test_nothingAtAll() public {
        vm.prank(node.addr);
        med.anchorReports(new Segment[](0), "");
    }

    // ---------------------------------------------------------------- who may not

    function test_onlyNodes(address caller) public {
        vm.assume(caller != node.addr && caller != clinicNode.addr);
        (Segment memory segment, bytes memory entries,) = _segment(package, 1);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotNode.selector, caller));
        med.anchorReports(_single(segment), entries);
    }

    function test_skipsAnotherCustodiansNode() public {
        (Segment memory segment, bytes memory entries,) = _segment(package, 1);
        bytes memory reason = abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, package, clinicNode.addr);
        vm.expectEmit(address(med));
        emit IMedShareEvents.SegmentSkipped(package, clinicNode.addr, reason);
        vm.prank(clinicNode.addr);
        med.anchorReports(_single(segment), entries);
        _assertState(package, State.Issued);
    }

    // ---------------------------------------------------------------- what is skipped

    function test_skipsAnUnknownPackage(bytes32 id) public {
        PackageId unknown = PackageId.wrap(id);
        vm.assume(id != PackageId.unwrap(package));
        (Segment memory segment, bytes memory entries,) = _segment(unknown, 1);
        skip_(segment, entries, abi.encodeWithSelector(IMedShareErrors.UnknownPackage.selector, unknown));
    }

    function test_skipsAStaleHead(bytes8 stale) public {
        (Segment memory segment, bytes memory entries,) = _segment(package, 1);
        bytes32 head = med.packageOf(package).head;
        vm.assume(stale != bytes8(head));
        segment.expectedHead = stale;
        skip_(segment, entries, abi.encodeWithSelector(IMedShareErrors.StaleHead.selector, bytes32(stale), head));
    }

    function test_skipsTooLittleWorkAnywhere() public {
        (Segment memory segment, bytes memory entries, bytes32 head) = _segment(package, 2);
        (bytes memory entry, bytes32 hash) = Miner.mineNothing(_block(head, "leaf"));
        segment.count = 3;
        bytes memory reason = abi.encodeWithSelector(IMedShareErrors.WorkTooLow.selector, hash, Miner.EASY);
        skip_(segment, abi.encodePacked(entries, entry), reason);
    }

    function test_skipsATargetThatIsNone(uint32 bits) public {
        bits |= 0x800000; // negative
        Miner.Block memory block_ = _block(med.packageOf(package).head, "leaf");
        block_.bits = bits;
        (bytes memory entry, bytes32 hash) = Miner.mine(block_);
        bytes memory reason = abi.encodeWithSelector(IMedShareErrors.WorkTooLow.selector, hash, bits);
        skip_(Segment(package, bytes8(block_.previous), 1), entry, reason);
    }

    function test_skipsAnEasierTargetBehindAGoodOne() public {
        (Segment memory segment, bytes memory entries, bytes32 head) = _segment(package, 1);
        segment.count = 2;
        Miner.Block memory block_ = _block(head, "leaf");
        block_.bits = 0x2100ffff; // easier than EASY
        (bytes memory entry, bytes32 hash) = Miner.mine(block_);
        bytes memory reason = abi.encodeWithSelector(IMedShareErrors.WorkTooLow.selector, hash, block_.bits);
        skip_(segment, abi.encodePacked(entries, entry), reason);
    }

    function test_blockTime(uint32 ahead) public {
        uint32 now_ = uint32(vm.getBlockTimestamp());
        Miner.Block memory block_ = _block(med.packageOf(package).head, "leaf");
        block_.time = now_ + uint32(bound(ahead, 121, type(uint32).max - now_));
        (bytes memory entry,) = Miner.mine(block_);
        bytes memory reason = abi.encodeWithSelector(IMedShareErrors.BlockFromTheFuture.selector, block_.time, now_);
        skip_(Segment(package, bytes8(block_.previous), 1), entry, reason);
        block_.time = now_ + 120;
        (entry,) = Miner.mine(block_);
        anchor(Segment(package, bytes8(block_.previous), 1), entry);
        _assertState(package, State.Active);
    }

    function test_swappedEntriesDoNotLeadToTheSameHead() public {
        (Segment memory segment, bytes memory entries, bytes32 head) = _segment(package, 2);
        bytes memory swapped = new bytes(160);
        for (uint256 i = 0; i < 160; i++) {
            swapped[i] = entries[(i + 80) % 160];
        }
        anchor(segment, swapped);
        assertNotEq(med.packageOf(package).head, head);
    }

    // ---------------------------------------------------------------- what is refused as a whole

    /// @notice Segments and entries that do not belong together are the sender's own mistake: nothing is anchored.
    function test_refusesEntriesThatTheSegmentsDoNotCount(uint16 length) public {
        (Segment memory segment, bytes memory entries,) = _segment(package, 2);
        length = uint16(bound(length, 0, 1000));
        vm.assume(length != entries.length);
        bytes memory other = new bytes(length);
        for (uint256 i = 0; i < length && i < entries.length; i++) {
            other[i] = entries[i];
        }
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadEntryLength.selector, uint256(length)));
        anchor(segment, other);
        _assertState(package, State.Issued);
    }

    function test_refusesASegmentOfNothingOrOfTooMuch(uint32 count) public {
        (Segment memory segment, bytes memory entries,) = _segment(package, 1);
        segment.count = count % 2 == 0 ? 0 : uint32(bound(count, 513, type(uint32).max));
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadCount.selector, segment.count, 512));
        anchor(segment, entries);
    }

    // ---------------------------------------------------------------- states and gas

    function test_evidenceIsRecordedInEveryState() public {
        vm.prank(hospital);
        med.revoke(package, 2);
        _anchor(package);
        _assertState(package, State.Revoked);
        _retrieve(package);
        _anchor(package);
        _assertState(package, State.Retrieved);
        PackageId second = _issued();
        _expire();
        _anchor(second);
        _assertState(second, State.Expired);
    }

    /// @notice As for `issue`: no estimate of gas settles on a transaction that skips a good segment.
    function test_tooLittleGasNeverSkipsASegment(uint256 gas) public {
        (Segment memory segment, bytes memory entries,) = _segment(package, 5);
        bytes memory call = abi.encodeCall(IMedShare.anchorReports, (_single(segment), entries));
        vm.prank(node.addr);
        (bool done,) = address(med).call{gas: bound(gas, 1_000, 100_000)}(call);
        _assertState(package, done ? State.Active : State.Issued);
    }

    function skip_(Segment memory segment, bytes memory entries, bytes memory reason) private {
        bytes32 head = med.packageOf(segment.package).head;
        vm.expectEmit(address(med));
        emit IMedShareEvents.SegmentSkipped(segment.package, node.addr, reason);
        anchor(segment, entries);
        assertEq(med.packageOf(segment.package).head, head);
    }

    function anchor(Segment memory segment, bytes memory entries) private {
        vm.prank(node.addr);
        med.anchorReports(_single(segment), entries);
    }
}
