// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare, PackageId, Segment, State} from "../contracts/interfaces/IMedShare.sol";
import {Base} from "./Base.t.sol";
import {Miner} from "./Miner.sol";

contract AnchorReportsTest is Base {
    PackageId private package;

    function setUp() public override {
        super.setUp();
        package = _issued();
    }

    function test_anchorsAndActivates() public {
        (Segment memory segment, bytes32 head) = _segment(package, 1);
        vm.expectEmit(address(med));
        emit IMedShare.ReportsAnchored(package, node.addr, segment.entries);
        anchor(segment);
        assertEq(med.packageOf(package).head, head);
        _assertState(package, State.Active);
    }

    function test_anchorsManyInOneSegment(uint8 count) public {
        (Segment memory segment, bytes32 head) = _segment(package, bound(count, 1, 40));
        anchor(segment);
        assertEq(med.packageOf(package).head, head);
    }

    function test_severalPackagesInOneCallAndABadOneSpoilsNothing() public {
        PackageId second = _issued();
        Segment[] memory segments = new Segment[](3);
        (segments[0],) = _segment(package, 2);
        (segments[1],) = _segment(package, 1); // stale by then
        (segments[2],) = _segment(second, 1);
        bytes32 origin = segments[1].expectedHead;
        (, bytes32 head) = _segment(package, 2);
        vm.expectEmit(address(med));
        bytes memory reason = abi.encodeWithSelector(IMedShare.StaleHead.selector, origin, head);
        emit IMedShare.SegmentSkipped(package, node.addr, reason);
        vm.prank(node.addr);
        med.anchorReports(segments);
        assertEq(med.packageOf(package).head, head);
        _assertState(second, State.Active);
    }

    function test_onlyNodes(address caller) public {
        vm.assume(caller != node.addr && caller != clinicNode.addr);
        Segment[] memory segments = new Segment[](1);
        (segments[0],) = _segment(package, 1);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShare.NotNode.selector, caller));
        med.anchorReports(segments);
    }

    function test_skipsAnotherCustodiansNode() public {
        Segment[] memory segments = new Segment[](1);
        (segments[0],) = _segment(package, 1);
        vm.expectEmit(address(med));
        emit IMedShare.SegmentSkipped(
            package, clinicNode.addr, abi.encodeWithSelector(IMedShare.NotOwner.selector, package, clinicNode.addr)
        );
        vm.prank(clinicNode.addr);
        med.anchorReports(segments);
        _assertState(package, State.Issued);
    }

    function test_skipsAnUnknownPackage() public {
        PackageId unknown = PackageId.wrap("unknown");
        (Segment memory segment,) = _segment(unknown, 1);
        skip_(segment, abi.encodeWithSelector(IMedShare.UnknownPackage.selector, unknown));
    }

    function test_skipsEntriesOfAnotherLength(uint16 length) public {
        length = uint16(bound(length, 0, 1000));
        vm.assume(length == 0 || length % 80 != 0);
        Segment memory segment = Segment(package, med.packageOf(package).head, new bytes(length));
        skip_(segment, abi.encodeWithSelector(IMedShare.BadEntryLength.selector, uint256(length)));
    }

    function test_skipsTooManyEntries() public {
        Segment memory segment = Segment(package, med.packageOf(package).head, new bytes(513 * 80));
        skip_(segment, abi.encodeWithSelector(IMedShare.TooLong.selector, 513, 512));
    }

    function test_skipsTooLittleWorkAnywhere() public {
        (Segment memory segment, bytes32 head) = _segment(package, 2);
        (bytes memory entry, bytes32 hash) = Miner.mineNothing(_block(head, "leaf"));
        segment.entries = abi.encodePacked(segment.entries, entry);
        skip_(segment, abi.encodeWithSelector(IMedShare.WorkTooLow.selector, hash, Miner.EASY));
    }

    function test_skipsABlockFromTheFuture() public {
        uint32 now_ = uint32(vm.getBlockTimestamp());
        Miner.Block memory block_ = _block(med.packageOf(package).head, "leaf");
        block_.time = now_ + 121;
        (bytes memory entry,) = Miner.mine(block_);
        Segment memory segment = Segment(package, block_.previous, entry);
        skip_(segment, abi.encodeWithSelector(IMedShare.BlockFromTheFuture.selector, now_ + 121, now_));
    }

    function test_swappedEntriesDoNotLeadToTheSameHead() public {
        (Segment memory segment, bytes32 head) = _segment(package, 2);
        bytes memory swapped = new bytes(160);
        for (uint256 i = 0; i < 160; i++) {
            swapped[i] = segment.entries[(i + 80) % 160];
        }
        segment.entries = swapped;
        anchor(segment);
        assertNotEq(med.packageOf(package).head, head);
    }

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
        Segment[] memory segments = new Segment[](1);
        (segments[0],) = _segment(package, 5);
        bytes memory call = abi.encodeCall(IMedShare.anchorReports, (segments));
        vm.prank(node.addr);
        (bool done,) = address(med).call{gas: bound(gas, 25_000, 200_000)}(call);
        _assertState(package, done ? State.Active : State.Issued);
    }

    /// @notice A long segment leaves the outer call enough gas to emit a skip: it must revert all the same.
    function test_tooLittleGasNeverSkipsALongSegment() public {
        Segment[] memory segments = new Segment[](1);
        (segments[0],) = _segment(package, 500);
        bytes memory call = abi.encodeCall(IMedShare.anchorReports, (segments));
        uint256 snapshot = vm.snapshotState();
        vm.prank(node.addr);
        (bool done,) = address(med).call(call);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        assertTrue(done);
        vm.revertToState(snapshot);
        vm.prank(node.addr);
        bytes memory reason;
        (done, reason) = address(med).call{gas: used * 95 / 100}(call);
        assertFalse(done);
        assertEq(reason, abi.encodeWithSelector(IMedShare.GasTooLow.selector, 0));
        _assertState(package, State.Issued);
    }

    function skip_(Segment memory segment, bytes memory reason) private {
        bytes32 head = med.packageOf(segment.package).head;
        vm.expectEmit(address(med));
        emit IMedShare.SegmentSkipped(segment.package, node.addr, reason);
        anchor(segment);
        assertEq(med.packageOf(segment.package).head, head);
    }

    function anchor(Segment memory segment) private {
        Segment[] memory segments = new Segment[](1);
        segments[0] = segment;
        vm.prank(node.addr);
        med.anchorReports(segments);
    }
}
