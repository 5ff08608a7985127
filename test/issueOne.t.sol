// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {Item} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

contract IssueOneTest is Base {
    function test_onlyTheContractItself(address caller) public {
        vm.assume(caller != address(med));
        Item memory item = _item();
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotPermitted.selector, caller));
        med.issueOne(node.addr, item);
    }

    function test_notEvenANode() public {
        Item memory item = _item();
        vm.prank(node.addr);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotPermitted.selector, node.addr));
        med.issueOne(node.addr, item);
    }
}
