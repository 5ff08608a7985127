// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {MedShare} from "../contracts/MedShare.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {Deploy} from "../script/Deploy.s.sol";

contract DeployTest is Test {
    Deploy private script = new Deploy();

    function test_deploysWithTheDefaultWorkLimit() public {
        MedShare med = script.deploy(address(7), script.DEFAULT_WORK_LIMIT());
        assertEq(med.workLimit(), 0x1f0fffff);
        assertTrue(med.hasRole(0x00, address(7)));
        assertFalse(med.hasRole(0x00, address(script)));
    }

    /// @dev The one test that reads the environment: tests run beside each other, and the environment is theirs all.
    function test_readsTheEnvironment() public {
        vm.setEnv("ADMIN", vm.toString(address(8)));
        vm.setEnv("WORK_LIMIT", vm.toString(uint256(0x1e00ffff)));
        MedShare med = script.run();
        assertEq(med.workLimit(), 0x1e00ffff);
        assertTrue(med.hasRole(0x00, address(8)));
    }

    function test_refusesAWorkLimitThatIsNone() public {
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadWorkLimit.selector, 0));
        script.deploy(address(7), 0);
    }

    function test_refusesAWorkLimitOfMoreThan32Bits() public {
        vm.expectRevert(abi.encodeWithSelector(Deploy.WorkLimitTooLarge.selector, 1 << 32));
        script.deploy(address(7), 1 << 32);
    }
}
