// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {Base} from "./Base.t.sol";

contract AdmitCustodianTest is Base {
    address private university = makeAddr("university");

    function test_admits() public {
        vm.expectEmit(address(med));
        emit IMedShareEvents.CustodianAdmitted(university);
        vm.prank(admin);
        med.admitCustodian(university);
        assertTrue(med.isCustodian(university));
        assertEq(med.custodianCount(), 3);
    }

    function test_onlyGovernance(address caller) public {
        vm.assume(caller != admin);
        vm.prank(caller);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, bytes32(0))
        );
        med.admitCustodian(university);
    }

    function test_refusesTwice() public {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.AlreadyAdmitted.selector, hospital));
        med.admitCustodian(hospital);
    }

    function test_refusesTheZeroAddress() public {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.ZeroValue.selector, bytes32("custodian")));
        med.admitCustodian(address(0));
    }

    function test_againAfterRemovalStartsWithoutNodes() public {
        _removeHospital();
        vm.prank(admin);
        med.admitCustodian(hospital);
        assertTrue(med.isCustodian(hospital));
        assertEq(med.nodeOf(node.addr).custodian, address(0), "a node key may be why it was removed");
        vm.prank(hospital);
        med.registerNode(node.addr, SEALING_KEY, "");
        assertEq(med.nodeOf(node.addr).custodian, hospital);
    }
}
