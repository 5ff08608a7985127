// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeView} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

/// @notice What is not there; what is there, the tests of each function that changes it compare.
contract NodeOfTest is Base {
    function test_nodeOf(address who) public view {
        vm.assume(who != node.addr && who != clinicNode.addr);
        NodeView memory nothing;
        assertEq(abi.encode(med.nodeOf(who)), abi.encode(nothing));
    }
}
