// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

contract ReinstateTest is Base {
    function test_byTheCustodianThatSuspended() public {
        vm.startPrank(hospital);
        med.suspend(requestor.addr);
        vm.expectEmit(address(med));
        emit IMedShareEvents.CredentialReinstated(CREDENTIAL, hospital);
        med.reinstate(requestor.addr);
        vm.stopPrank();
        assertFalse(med.requestorOf(requestor.addr).suspended);
        _assertState(_issue(_item()), State.Issued);
    }

    function test_byGovernanceAnySuspension() public {
        vm.prank(hospital);
        med.suspend(requestor.addr);
        vm.prank(admin);
        med.reinstate(requestor.addr);
        assertFalse(med.requestorOf(requestor.addr).suspended);
    }

    function test_noCustodianUndoesWhatGovernanceDid() public {
        vm.prank(admin);
        med.suspend(requestor.addr);
        vm.prank(hospital);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotPermitted.selector, hospital));
        med.reinstate(requestor.addr);
    }

    function test_noCustodianUndoesWhatAnotherDid() public {
        // The same credential in a wallet that the clinic vouches for.
        Vm.Wallet memory second = vm.createWallet("second wallet");
        _register(second.addr, second, CREDENTIAL);
        registerAtClinic(second);
        vm.prank(hospital);
        med.suspend(requestor.addr);
        vm.prank(clinic);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotPermitted.selector, clinic));
        med.reinstate(second.addr);
    }

    function test_notACustodianThatWasRemoved() public {
        vm.prank(hospital);
        med.suspend(requestor.addr);
        vm.prank(admin);
        med.removeCustodian(hospital);
        vm.prank(hospital);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotPermitted.selector, hospital));
        med.reinstate(requestor.addr);
    }

    function test_nobodyElse(address caller) public {
        vm.assume(caller != hospital && caller != admin);
        vm.prank(hospital);
        med.suspend(requestor.addr);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotPermitted.selector, caller));
        med.reinstate(requestor.addr);
    }

    function test_refusesWhoIsNotSuspended() public {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotSuspended.selector, CREDENTIAL));
        med.reinstate(requestor.addr);
    }

    function test_refusesWhoIsUnknown() public {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.UnknownRequestor.selector, stranger));
        med.reinstate(stranger);
    }

    function registerAtClinic(Vm.Wallet memory wallet) private {
        (address before, Vm.Wallet memory hospitals) = (node.addr, node);
        node = clinicNode;
        _register(wallet.addr, wallet, CREDENTIAL);
        node = hospitals;
        assertEq(node.addr, before);
        assertEq(med.requestorOf(wallet.addr).custodian, clinic);
    }
}
