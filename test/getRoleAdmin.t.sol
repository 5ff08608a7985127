// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.t.sol";

contract GetRoleAdminTest is Base {
    /// @notice Governance gives every role, its own as well, and nothing can change that.
    function test_isGovernanceForEveryRole(bytes32 role) public {
        assertEq(med.getRoleAdmin(role), med.DEFAULT_ADMIN_ROLE());
        vm.prank(admin);
        med.grantRole(role, stranger);
        assertEq(med.getRoleAdmin(role), med.DEFAULT_ADMIN_ROLE());
    }
}
