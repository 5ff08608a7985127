// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Powers} from "./Powers.sol";

contract RevokeRoleTest is Powers {
    function setUp() public override {
        super.setUp();
        vm.prank(admin);
        med.grantRole(ROLE, stranger);
    }

    function test_revokes() public {
        vm.expectEmit(address(med));
        emit IAccessControl.RoleRevoked(ROLE, stranger, admin);
        vm.prank(admin);
        med.revokeRole(ROLE, stranger);
        assertFalse(med.hasRole(ROLE, stranger));
        assertTrue(med.hasRole(ROLE, admin));
    }

    function test_whoLostItDoesNotGovern() public {
        _assertGoverns(stranger);
        vm.prank(admin);
        med.revokeRole(ROLE, stranger);
        _assertDoesNotGovern(stranger);
    }

    function test_theNewOneCanTakeItFromTheOldOne() public {
        vm.prank(stranger);
        med.revokeRole(ROLE, admin);
        _assertGoverns(stranger);
        _assertDoesNotGovern(admin);
    }

    function test_onlyGovernance(address caller, bytes32 role) public {
        vm.assume(caller != admin && caller != stranger);
        vm.prank(caller);
        _expectUnauthorized(caller);
        med.revokeRole(role, admin);
    }

    function test_ofWhoHasNoneTellsNothing(address who) public {
        vm.assume(who != admin && who != stranger);
        vm.recordLogs();
        vm.prank(admin);
        med.revokeRole(ROLE, who);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    /// @notice Nothing keeps the last one from going: then the rules stay as they are for ever.
    function test_theLastOneCanGo() public {
        vm.startPrank(admin);
        med.revokeRole(ROLE, stranger);
        med.revokeRole(ROLE, admin);
        vm.stopPrank();
        _assertDoesNotGovern(admin);
    }
}
