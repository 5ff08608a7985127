// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../../contracts/interfaces/IMedShareErrors.sol";
import {PackageId, Segment, State} from "../../contracts/interfaces/Types.sol";
import {Miner} from "../Miner.sol";
import {Dice} from "./Dice.sol";
import {FaultSet, Faults} from "./Faults.sol";
import {Mining} from "./Mining.sol";

/// @notice Segments as nodes mine them, most of them good, each with what its miner knows of it.
abstract contract Pieces is Mining {
    struct Piece {
        Segment segment;
        Miner.Block[] blocks;
        uint32[] nonces;
        bytes entries;
    }

    /// @dev What may be wrong with a segment.
    enum Slip {
        None,
        StaleHead,
        WeakWork,
        EasierTarget,
        BlockFromTheFuture,
        OtherPackage,
        Again
    }

    /// @dev Earlier segments, encoded, to be sent again.
    bytes[] private mined;

    function _piece(Dice memory dice, address custodian) internal returns (Piece memory piece) {
        Slip slip = dice.oneIn(4) ? Slip(dice.below(uint256(type(Slip).max) + 1)) : Slip.None;
        if (slip == Slip.Again && mined.length > 0) return abi.decode(mined[dice.below(mined.length)], (Piece));
        PackageId id = slip == Slip.OtherPackage ? _package(dice, _live()) : _ofCustodian(dice, custodian);
        bytes32 head = slip == Slip.StaleHead ? dice.word() : past[id].head;
        uint256 count = 1 + dice.below(3);
        piece.segment = Segment(id, bytes8(head), uint32(count));
        (piece.blocks, piece.nonces) = (new Miner.Block[](count), new uint32[](count));
        uint256 bad = dice.below(count);
        for (uint256 i = 0; i < count; i++) {
            head = _push(dice, piece, i, head, i == bad ? slip : Slip.None);
        }
        if (mined.length < 20) mined.push(abi.encode(piece));
        else mined[dice.below(20)] = abi.encode(piece);
    }

    function _push(Dice memory dice, Piece memory piece, uint256 at, bytes32 head, Slip slip)
        private
        view
        returns (bytes32)
    {
        Miner.Block memory block_ = _blockOn(dice, head);
        if (slip == Slip.BlockFromTheFuture) block_.time += uint32(121 + dice.below(1 days));
        if (slip == Slip.EasierTarget) block_.bits = EASIEST;
        uint32 nonce = slip == Slip.WeakWork ? _weak(block_) : _worked(block_);
        (piece.blocks[at], piece.nonces[at]) = (block_, nonce);
        piece.entries = bytes.concat(piece.entries, Miner.entryOf(block_, nonce));
        return Miner.hashOf(block_, nonce);
    }

    /// @dev A package of this custodian, in whatever state, if a few tries find one.
    function _ofCustodian(Dice memory dice, address custodian) private view returns (PackageId id) {
        for (uint256 tries = 0; tries < 8; tries++) {
            id = _package(dice, ~uint256(0));
            if (past[id].custodian == custodian) return id;
        }
    }

    /// @dev What is wrong with a segment now; the first bad block is what a segment stops at.
    function _pieceFaults(Piece memory piece, address node_) internal view returns (Faults memory faults) {
        faults = FaultSet.none();
        PackageId id = piece.segment.package;
        bytes8 expected = piece.segment.expectedHead;
        if (past[id].requestor == address(0)) {
            faults.add(IMedShareErrors.UnknownPackage.selector, PackageId.unwrap(id));
        } else if (replica.custodianOf(node_) != past[id].custodian) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, id, node_));
        } else if (expected != bytes8(past[id].head)) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.StaleHead.selector, bytes32(expected), past[id].head));
        } else {
            for (uint256 i = 0; i < piece.blocks.length && faults.count == 0; i++) {
                _blockFaults(faults, piece.blocks[i], piece.nonces[i]);
            }
        }
    }

    function _headAfter(Piece memory piece) internal pure returns (bytes32) {
        uint256 last = piece.blocks.length - 1;
        return Miner.hashOf(piece.blocks[last], piece.nonces[last]);
    }
}
