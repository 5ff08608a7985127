// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.t.sol";

contract CustodianCountTest is Base {
    function test_custodianCount() public {
        assertEq(med.custodianCount(), 2);
        vm.prank(admin);
        med.removeCustodian(clinic);
        assertEq(med.custodianCount(), 1);
    }
}
