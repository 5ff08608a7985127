// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Dice} from "../Dice.sol";
import {World} from "../World.sol";

/// @notice Time goes by: seconds mostly, now and then past deadlines, and past the expiry of packages.
abstract contract Time is World {
    function pass(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        uint64 before = _later(0);
        uint256 most = dice.oneIn(12) ? 20 days : dice.oneIn(3) ? 1 days : 2 minutes;
        vm.warp(dice.oneIn(4) ? _edge(dice) : vm.getBlockTimestamp() + 1 + dice.below(most));
        for (uint256 i = 0; i < packages.length; i++) {
            Past storage its = past[packages[i]];
            uint64 expiry = its.usage.expiry;
            if (!its.retrieved && before < expiry && expiry <= _later(0)) _count("expired");
        }
        moved = true;
        steps++;
    }

    /// @dev The very second in which a package expires, or the one before, if a few tries find one that does so soon.
    function _edge(Dice memory dice) private view returns (uint256 edge) {
        uint256 now_ = vm.getBlockTimestamp();
        for (uint256 tries = 0; tries < 8 && packages.length != 0; tries++) {
            edge = past[packages[dice.below(packages.length)]].usage.expiry / 1000 - dice.below(2);
            if (edge > now_ && edge < now_ + 2 days) return edge;
        }
        return now_;
    }
}
