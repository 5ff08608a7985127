// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Powers} from "./Powers.sol";

contract RenounceRoleTest is Powers {
    function test_renounces() public {
        vm.expectEmit(address(med));
        emit IAccessControl.RoleRevoked(ROLE, admin, admin);
        vm.prank(admin);
        med.renounceRole(ROLE, admin);
        assertFalse(med.hasRole(ROLE, admin));
        _assertDoesNotGovern(admin);
    }

    function test_governanceCanHandItselfOver() public {
        vm.startPrank(admin);
        med.grantRole(ROLE, stranger);
        med.renounceRole(ROLE, admin);
        vm.stopPrank();
        _assertGoverns(stranger);
        _assertDoesNotGovern(admin);
    }

    function test_nobodyForAnother(address caller, address other, bytes32 role) public {
        vm.assume(caller != other);
        refused(caller, other, role);
        assertTrue(med.hasRole(ROLE, admin));
    }

    /// @notice To take it from another, governance has `revokeRole`.
    function test_notEvenGovernanceForAnother() public {
        vm.prank(admin);
        med.grantRole(ROLE, stranger);
        refused(admin, stranger, ROLE);
        refused(stranger, admin, ROLE);
        assertTrue(med.hasRole(ROLE, stranger) && med.hasRole(ROLE, admin));
    }

    function test_byWhoHasNoneTellsNothing(address who, bytes32 role) public {
        vm.assume(who != admin);
        vm.recordLogs();
        vm.prank(who);
        med.renounceRole(role, who);
        assertEq(vm.getRecordedLogs().length, 0);
        assertTrue(med.hasRole(ROLE, admin));
    }

    /// @notice Packages are none of governance's affairs, so they go on without it.
    function test_theRestGoesOnWithoutGovernance() public {
        vm.prank(admin);
        med.renounceRole(ROLE, admin);
        _anchor(_issued());
    }

    function refused(address caller, address other, bytes32 role) private {
        vm.prank(caller);
        vm.expectRevert(IAccessControl.AccessControlBadConfirmation.selector);
        med.renounceRole(role, other);
    }
}
