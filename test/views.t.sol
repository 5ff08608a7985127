// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Class, NodeView, RequestorView, Response} from "../contracts/interfaces/IMedShare.sol";
import {Base} from "./Base.t.sol";
import {Miner} from "./Miner.sol";

/// @notice The plain getters, asked for what is not there; what is there, the tests of each function compare.
contract ViewsTest is Base {
    function test_nodeOf(address who) public view {
        vm.assume(who != node.addr && who != clinicNode.addr);
        NodeView memory nothing;
        assertEq(abi.encode(med.nodeOf(who)), abi.encode(nothing));
    }

    function test_requestorOf(address who) public view {
        vm.assume(who != requestor.addr);
        RequestorView memory nothing;
        assertEq(abi.encode(med.requestorOf(who)), abi.encode(nothing));
        assertEq(uint8(med.requestorOf(requestor.addr).class), uint8(Class.University));
    }

    function test_datasetOf(address custodian, bytes32 dataset) public view {
        vm.assume(custodian != hospital);
        (bytes32 descriptor, bytes32[] memory purposes, Response[] memory responses) = med.datasetOf(custodian, dataset);
        assertEq(descriptor, 0);
        assertEq(purposes.length, 0);
        assertEq(responses.length, 0);
    }

    function test_isRefused(address custodian, address who) public view {
        assertFalse(med.isRefused(custodian, who));
    }

    function test_isCustodianAndCount(address who) public view {
        assertEq(med.isCustodian(who), who == hospital || who == clinic);
        assertEq(med.custodianCount(), 2);
    }

    function test_workLimit() public view {
        assertEq(med.workLimit(), Miner.EASY);
    }
}
