// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShare, Item} from "../contracts/interfaces/IMedShare.sol";
import {Base} from "./Base.t.sol";

contract SuspendTest is Base {
    function test_byTheVouchingCustodian() public {
        vm.expectEmit(address(med));
        emit IMedShare.CredentialSuspended(CREDENTIAL, hospital);
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
        vm.expectRevert(abi.encodeWithSelector(IMedShare.NotPermitted.selector, caller));
        med.suspend(requestor.addr);
    }

    function test_notACustodianThatWasRemoved() public {
        _removeHospital();
        vm.prank(hospital);
        vm.expectRevert(abi.encodeWithSelector(IMedShare.NotPermitted.selector, hospital));
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
        emit IMedShare.ItemSkipped(
            _idOf(item.request), node.addr, abi.encodeWithSelector(IMedShare.Suspended.selector, CREDENTIAL)
        );
        _issue(item);
    }

    function test_refusesWhoIsUnknown() public {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(IMedShare.UnknownRequestor.selector, stranger));
        med.suspend(stranger);
    }

    function test_refusesTwice() public {
        vm.startPrank(hospital);
        med.suspend(requestor.addr);
        vm.expectRevert(abi.encodeWithSelector(IMedShare.Suspended.selector, CREDENTIAL));
        med.suspend(requestor.addr);
        vm.stopPrank();
    }
}
