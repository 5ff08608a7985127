// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Class, RequestorView} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

/// @notice What is not there; what is there, the tests of each function that changes it compare.
contract RequestorOfTest is Base {
    function test_requestorOf(address who) public view {
        vm.assume(who != requestor.addr);
        RequestorView memory nothing;
        assertEq(abi.encode(med.requestorOf(who)), abi.encode(nothing));
        assertEq(uint8(med.requestorOf(requestor.addr).class), uint8(Class.University));
    }
}
