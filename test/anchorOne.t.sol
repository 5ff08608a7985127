// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare, PackageId, Segment} from "../contracts/interfaces/IMedShare.sol";
import {Base} from "./Base.t.sol";

contract AnchorOneTest is Base {
    function test_onlyTheContractItself(address caller) public {
        vm.assume(caller != address(med));
        PackageId package = _issued();
        (Segment memory segment,) = _segment(package, 1);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShare.NotPermitted.selector, caller));
        med.anchorOne(node.addr, segment);
    }
}
