// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.t.sol";

/// @notice What is not there; what is there, the tests of each function that changes it compare.
contract IsRefusedTest is Base {
    function test_isRefused(address custodian, address who) public view {
        assertFalse(med.isRefused(custodian, who));
    }
}
