// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A stream of small random numbers out of the one that the fuzzer gives. The fuzzer's own numbers are not
/// used as they are: it prefers small ones and ones it has seen, so that half of what there is would hardly be picked.
struct Dice {
    uint256 seed;
    uint256 rolls;
}

using DiceRolls for Dice global;

library DiceRolls {
    function below(Dice memory dice, uint256 sides) internal pure returns (uint256) {
        return uint256(dice.word()) % sides;
    }

    function oneIn(Dice memory dice, uint256 sides) internal pure returns (bool) {
        return dice.below(sides) == 0;
    }

    function word(Dice memory dice) internal pure returns (bytes32) {
        return keccak256(abi.encode(dice.seed, dice.rolls++));
    }
}
