// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.t.sol";

contract DefaultAdminRoleTest is Base {
    function test_isZeroAndGovernances() public view {
        assertEq(med.DEFAULT_ADMIN_ROLE(), bytes32(0));
        assertTrue(med.hasRole(med.DEFAULT_ADMIN_ROLE(), admin));
    }
}
