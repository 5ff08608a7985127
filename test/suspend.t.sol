// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {Item} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

contract SuspendTest is Base {
    /// @notice A custodian that shields a requestor cannot do so by suspending it first and reinstating it afterwards.
    function test_governanceTakesOverACustodiansSuspension() public {
        vm.prank(hospital);
        med.suspend(requestor.addr);
        vm.expectEmit(address(med));
        emit IMedShareEvents.CredentialSuspended(CREDENTIAL, admin);
        vm.prank(admin);
        med.suspend(requestor.addr);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotPermitted.selector, hospital));
        vm.prank(hospital);
        med.reinstate(requestor.addr);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.Suspended.selector, CREDENTIAL));
        vm.prank(hospital);
        med.suspend(requestor.addr);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.Suspended.selector, CREDENTIAL));
        vm.prank(admin);
        med.suspend(requestor.addr);
    }

    function test_byTheVouchingCustodian() public {
        vm.expectEmit(address(med));
        emit IMedShareEvents.CredentialSuspended(CREDENTIAL, hospital);
        vm.prank(hospital);
        med.suspend(requestor.addr);
        assertTrue(med.requestorOf(requestor.addr).suspended);
    }

    function test_byGovernance() public {
        vm.prank(admin);
        med.suspend(requestor.addr);
        assertTrue(med.requestorOf(requestor.addr).suspended);
    }

    function test_nobodyElse(address caller) public {
        vm.assume(caller != hospital && caller != admin);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotPermitted.selector, caller));
        med.suspend(requestor.addr);
    }

    function test_notACustodianThatWasRemoved() public {
        _removeHospital();
        vm.prank(hospital);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotPermitted.selector, hospital));
        med.suspend(requestor.addr);
    }

    function test_holdsForEveryWalletOfTheCredential() public {
        Vm.Wallet memory second = vm.createWallet("second wallet");
        _register(second.addr, second, CREDENTIAL);
        vm.prank(hospital);
        med.suspend(second.addr);
        assertTrue(med.requestorOf(requestor.addr).suspended);
        Item memory item = _item();
        vm.expectEmit(address(med));
        emit IMedShareEvents.ItemSkipped(
            _idOf(item.request), node.addr, abi.encodeWithSelector(IMedShareErrors.Suspended.selector, CREDENTIAL)
        );
        _issue(item);
    }

    function test_refusesWhoIsUnknown() public {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.UnknownRequestor.selector, stranger));
        med.suspend(stranger);
    }

    function test_refusesTwice() public {
        vm.startPrank(hospital);
        med.suspend(requestor.addr);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.Suspended.selector, CREDENTIAL));
        med.suspend(requestor.addr);
        vm.stopPrank();
    }
}
