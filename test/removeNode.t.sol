// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {Base} from "./Base.t.sol";

contract RemoveNodeTest is Base {
    function test_removes() public {
        vm.expectEmit(address(med));
        emit IMedShareEvents.NodeRemoved(hospital, node.addr);
        vm.prank(hospital);
        med.removeNode(node.addr);
        assertEq(med.nodeOf(node.addr).custodian, address(0));
        assertEq(med.nodeOf(node.addr).sealingKey, 0);
    }

    function test_refusesTheNodeOfAnother() public {
        vm.prank(clinic);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.UnknownNode.selector, node.addr));
        med.removeNode(node.addr);
    }

    function test_refusesWhatIsNoNode() public {
        vm.prank(hospital);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.UnknownNode.selector, stranger));
        med.removeNode(stranger);
    }

    function test_onlyCustodians(address caller) public {
        vm.assume(caller != hospital && caller != clinic);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotCustodian.selector, caller));
        med.removeNode(node.addr);
    }
}
