// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Powers} from "./Powers.sol";

contract GrantRoleTest is Powers {
    function test_grants() public {
        vm.expectEmit(address(med));
        emit IAccessControl.RoleGranted(ROLE, stranger, admin);
        vm.prank(admin);
        med.grantRole(ROLE, stranger);
        assertTrue(med.hasRole(ROLE, stranger));
        assertTrue(med.hasRole(ROLE, admin), "it is given, not passed on");
    }

    function test_whoWasGrantedItGoverns() public {
        _assertDoesNotGovern(stranger);
        vm.prank(admin);
        med.grantRole(ROLE, stranger);
        _assertGoverns(stranger);
        _assertGoverns(admin);
    }

    function test_onlyGovernance(address caller, bytes32 role) public {
        vm.assume(caller != admin);
        vm.prank(caller);
        _expectUnauthorized(caller);
        med.grantRole(role, caller);
    }

    function test_twiceTellsNothing() public {
        vm.recordLogs();
        vm.prank(admin);
        med.grantRole(ROLE, admin);
        assertEq(vm.getRecordedLogs().length, 0);
        assertTrue(med.hasRole(ROLE, admin));
    }

    /// @notice There is one role; others can be written down, but open nothing, not even their own gift.
    function test_anotherRoleGivesNoPower(bytes32 role) public {
        vm.assume(role != ROLE);
        vm.prank(admin);
        med.grantRole(role, stranger);
        assertTrue(med.hasRole(role, stranger));
        assertFalse(med.hasRole(ROLE, stranger));
        vm.prank(stranger);
        _expectUnauthorized(stranger);
        med.grantRole(role, hospital);
        _assertDoesNotGovern(stranger);
    }
}
