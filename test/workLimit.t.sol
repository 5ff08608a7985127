// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.t.sol";
import {Miner} from "./Miner.sol";

contract WorkLimitTest is Base {
    function test_workLimit() public view {
        assertEq(med.workLimit(), Miner.EASY);
    }
}
