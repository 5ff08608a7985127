// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.t.sol";

contract IsCustodianTest is Base {
    function test_isCustodian(address who) public view {
        assertEq(med.isCustodian(who), who == hospital || who == clinic);
    }
}
