// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../../contracts/interfaces/IMedShareErrors.sol";
import {Miner} from "../Miner.sol";
import {Dice} from "./Dice.sol";
import {Faults} from "./Faults.sol";
import {World} from "./World.sol";

/// @notice Blocks against the easy targets that governance chooses among, and what is wrong with them.
/// @dev Targets are compared by their most significant byte; hashes that this would leave open are not mined.
abstract contract Mining is World {
    /// @dev Nearly every hash reaches it.
    uint32 internal constant EASIEST = 0x2100ffff;

    function _blockOn(Dice memory dice, bytes32 head) internal view returns (Miner.Block memory) {
        uint32 bits = dice.oneIn(8) ? 0x203fffff : replica.workLimit();
        uint32 time = uint32(vm.getBlockTimestamp() + dice.below(121));
        return Miner.Block(uint32(dice.below(1 << 32)), head, dice.word(), time, bits, dice.word());
    }

    function _worked(Miner.Block memory block_) internal pure returns (uint32 nonce) {
        while (!_reaches(Miner.hashOf(block_, nonce), block_.bits)) nonce++;
    }

    /// @dev A nonce with too little work for anything but the easiest target, which is given up.
    function _weak(Miner.Block memory block_) internal pure returns (uint32 nonce) {
        if (block_.bits == EASIEST) block_.bits = Miner.EASY;
        while (uint8(Miner.hashOf(block_, nonce)[31]) < 0x80) nonce++;
    }

    function _reaches(bytes32 hash, uint32 bits) internal pure returns (bool) {
        return uint8(hash[31]) < _top(bits);
    }

    /// @dev What is wrong with this block on top of this head.
    function _blockFaults(Faults memory faults, Miner.Block memory block_, uint32 nonce) internal view {
        bytes32 hash = Miner.hashOf(block_, nonce);
        if (!_reaches(hash, block_.bits) || _top(block_.bits) > _top(replica.workLimit())) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.WorkTooLow.selector, hash, block_.bits));
        }
        uint256 now_ = vm.getBlockTimestamp();
        if (block_.time > now_ + 120) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.BlockFromTheFuture.selector, uint256(block_.time), now_));
        }
    }

    /// @dev The most significant byte of a target; what is below it is all ones.
    function _top(uint32 bits) private pure returns (uint8) {
        return bits == EASIEST ? 0xff : uint8(bits >> 16);
    }
}
