// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShare} from "../../../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../../../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../../../contracts/interfaces/IMedShareEvents.sol";
import {PackageId, Segment} from "../../../contracts/interfaces/Types.sol";
import {Bounds} from "../Bounds.sol";
import {Dice} from "../Dice.sol";
import {FaultSet, Faults} from "../Faults.sol";
import {Pieces} from "../Pieces.sol";

/// @notice Nodes: side-blocks, good and bad segments mixed, on packages in every state.
abstract contract Anchoring is Pieces {
    uint256 private constant MAX_ENTRIES = 512;

    struct Haul {
        Piece[] pieces;
        Segment[] segments;
        bytes entries;
        Faults[] faults; // of each segment
        bytes32[] digests;
        Faults whole; // why nothing at all is done
        uint256 good;
    }

    function anchorReports(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        address custodian = _working(dice);
        address caller = _mostly(dice, _nodeOf(dice, custodian));
        Haul memory haul = _haul(dice, custodian, caller);
        bytes memory input = abi.encodeCall(IMedShare.anchorReports, (haul.segments, haul.entries));
        if (haul.good == 0) vm.record();
        Answer memory answer =
            _send(caller, input, Bounds.anchor(haul.segments.length, (haul.entries.length + 79) / 80));
        _mustAnswer(answer, haul.whole);
        if (answer.done) _compare(haul, caller, answer.logs);
        if (answer.done && haul.good == 0) _nothingWritten();
    }

    /// @dev What a node of `custodian` mined, each segment on top of those before, as `caller` sends it.
    function _haul(Dice memory dice, address custodian, address caller) private returns (Haul memory haul) {
        uint256 length = 1 + dice.below(3);
        (haul.pieces, haul.segments) = (new Piece[](length), new Segment[](length));
        (haul.faults, haul.digests) = (new Faults[](length), new bytes32[](length));
        haul.whole = FaultSet.none();
        if (!_isNode(caller)) haul.whole.add(IMedShareErrors.NotNode.selector, caller);
        bool miscounted = dice.oneIn(20);
        for (uint256 i = 0; i < length; i++) {
            Piece memory piece = _piece(dice, custodian);
            (haul.pieces[i], haul.segments[i]) = (piece, piece.segment);
            haul.entries = bytes.concat(haul.entries, piece.entries);
            if (miscounted || haul.whole.count != 0) continue;
            haul.digests[i] = _digest(piece.segment.package);
            haul.faults[i] = _pieceFaults(piece, caller);
            if (haul.faults[i].count != 0) continue;
            past[piece.segment.package].head = _headAfter(piece);
            haul.good++;
        }
        if (miscounted) _miscount(dice, haul);
    }

    /// @dev Segments and entries that do not belong together are the sender's own mistake: nothing is anchored.
    function _miscount(Dice memory dice, Haul memory haul) private pure {
        uint256 kind = dice.below(3);
        if (kind == 0) haul.entries = bytes.concat(haul.entries, new bytes(1 + dice.below(100)));
        if (kind == 1) haul.entries = _withoutLast(haul.entries, 1 + dice.below(80));
        if (kind == 2) {
            uint256 count = dice.oneIn(2) ? 0 : MAX_ENTRIES + 1;
            haul.segments[dice.below(haul.segments.length)].count = uint32(count);
            haul.whole.add(abi.encodeWithSelector(IMedShareErrors.BadCount.selector, count, MAX_ENTRIES));
        } else {
            haul.whole.add(abi.encodeWithSelector(IMedShareErrors.BadEntryLength.selector, haul.entries.length));
        }
    }

    function _withoutLast(bytes memory data, uint256 count) private pure returns (bytes memory) {
        assembly ("memory-safe") {
            mstore(data, sub(mload(data), count))
        }
        return data;
    }

    function _compare(Haul memory haul, address node_, Vm.Log[] memory logs) private {
        require(logs.length == haul.pieces.length, "anchor: one event a segment");
        for (uint256 i = 0; i < logs.length; i++) {
            PackageId id = haul.segments[i].package;
            require(logs[i].topics[1] == PackageId.unwrap(id), "anchor: the segments in order");
            bool done = logs[i].topics[0] == IMedShareEvents.ReportsAnchored.selector;
            require(done == (haul.faults[i].count == 0), "anchor: a good segment skipped, or a bad one anchored");
            _count(done ? bytes32("anchored") : bytes32("segment skipped"));
            if (done) {
                bytes memory data = abi.encode(node_, haul.pieces[i].entries);
                require(keccak256(logs[i].data) == keccak256(data), "ReportsAnchored tells something else");
                continue;
            }
            bytes memory reason = abi.decode(logs[i].data, (bytes));
            require(haul.faults[i].hold(reason), "anchor: skipped for another reason");
            _count(bytes4(reason));
            if (!_moved(haul, id)) require(_digest(id) == haul.digests[i], "a skipped segment changed something");
        }
    }

    function _moved(Haul memory haul, PackageId id) private pure returns (bool) {
        for (uint256 i = 0; i < haul.pieces.length; i++) {
            bool same = PackageId.unwrap(haul.segments[i].package) == PackageId.unwrap(id);
            if (same && haul.faults[i].count == 0) return true;
        }
        return false;
    }

    /// @dev What a segment can touch, as the contract answers now.
    function _digest(PackageId id) private view returns (bytes32) {
        return keccak256(abi.encode(med.packageOf(id)));
    }
}
