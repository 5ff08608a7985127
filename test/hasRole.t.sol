// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.t.sol";

contract HasRoleTest is Base {
    function test_hasRole(address who) public view {
        assertEq(med.hasRole(0x00, who), who == admin);
    }

    function test_nobodyHasAnyOther(address who, bytes32 role) public view {
        vm.assume(role != 0x00);
        assertFalse(med.hasRole(role, who));
        assertFalse(med.hasRole(role, admin));
    }
}
