// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {Base} from "./Base.t.sol";
import {Deployed} from "./Consortium.sol";
import {Miner} from "./Miner.sol";

contract ConstructorTest is Base {
    function test_setsGovernanceAndWorkLimit() public {
        vm.expectEmit();
        emit IMedShareEvents.WorkLimitSet(Miner.HARD);
        Deployed deployed = _deploy(admin, Miner.HARD);
        assertTrue(deployed.hasRole(0x00, admin));
        assertFalse(deployed.hasRole(0x00, address(this)), "the deployer has no say");
        assertEq(deployed.workLimit(), Miner.HARD);
    }

    function test_refusesNoGovernance() public {
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.ZeroValue.selector, bytes32("admin")));
        this.deploy(address(0), Miner.EASY);
    }

    function test_refusesABadWorkLimit() public {
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadWorkLimit.selector, 0));
        this.deploy(admin, 0);
    }

    function deploy(address governance, uint32 workLimit) external {
        _deploy(governance, workLimit);
    }

    function test_fitsIntoAContract() public view {
        assertLe(address(med).code.length, 24_576, "EIP-170");
    }

    function test_takesNoMoney() public {
        vm.deal(stranger, 1 ether);
        vm.prank(stranger);
        (bool taken,) = address(med).call{value: 1}("");
        assertFalse(taken);
    }
}
