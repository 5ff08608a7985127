// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {NodeView} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

contract RegisterNodeTest is Base {
    address private fresh = makeAddr("fresh node");

    function test_registers() public {
        vm.expectEmit(address(med));
        emit IMedShareEvents.NodeRegistered(hospital, fresh, SEALING_KEY, "https://h.example");
        vm.prank(hospital);
        med.registerNode(fresh, SEALING_KEY, "https://h.example");
        NodeView memory view_ = med.nodeOf(fresh);
        assertEq(view_.custodian, hospital);
        assertEq(view_.sealingKey, SEALING_KEY);
        assertEq(view_.endpoint, "https://h.example");
    }

    function test_changesKeyAndEndpoint() public {
        vm.prank(hospital);
        med.registerNode(node.addr, bytes32(uint256(7)), "https://moved.example");
        assertEq(med.nodeOf(node.addr).sealingKey, bytes32(uint256(7)));
        assertEq(med.nodeOf(node.addr).endpoint, "https://moved.example");
    }

    function test_onlyCustodians(address caller) public {
        vm.assume(caller != hospital && caller != clinic);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotCustodian.selector, caller));
        med.registerNode(fresh, SEALING_KEY, "");
    }

    function test_refusesTheNodeOfAnother() public {
        vm.prank(clinic);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NodeTaken.selector, node.addr));
        med.registerNode(node.addr, SEALING_KEY, "");
    }

    function test_takesTheNodeOfARemovedCustodian() public {
        _removeHospital();
        vm.prank(clinic);
        med.registerNode(node.addr, SEALING_KEY, "");
        assertEq(med.nodeOf(node.addr).custodian, clinic);
    }

    function test_refusesZeros() public {
        vm.startPrank(hospital);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.ZeroValue.selector, bytes32("node")));
        med.registerNode(address(0), SEALING_KEY, "");
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.ZeroValue.selector, bytes32("sealingKey")));
        med.registerNode(fresh, 0, "");
        vm.stopPrank();
    }

    function test_aCustodianHasUpTo64() public {
        vm.startPrank(hospital);
        for (uint160 i = 2; i <= 64; i++) {
            med.registerNode(address(i), SEALING_KEY, "");
        }
        med.registerNode(address(64), SEALING_KEY, "moved"); // not one more
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.TooLong.selector, 65, 64));
        med.registerNode(fresh, SEALING_KEY, "");
        med.removeNode(address(2));
        med.registerNode(fresh, SEALING_KEY, "");
        vm.stopPrank();
    }

    function test_endpointHasALimit() public {
        string memory longest = string(new bytes(256));
        vm.startPrank(hospital);
        med.registerNode(fresh, SEALING_KEY, longest);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.TooLong.selector, 257, 256));
        med.registerNode(fresh, SEALING_KEY, string.concat(longest, "x"));
        vm.stopPrank();
    }
}
