// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {Class, Registration, RequestorView} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Messages} from "./Messages.sol";
import {Delegate, NoWallet, Wallet} from "./mocks/Wallets.sol";

contract RegisterRequestorTest is Base {
    Vm.Wallet private fresh;
    bytes32 private constant FRESH_CREDENTIAL = keccak256("fresh credential");

    function setUp() public override {
        super.setUp();
        fresh = vm.createWallet("fresh");
    }

    function test_registers() public {
        Registration memory registration = _registration(fresh.addr, FRESH_CREDENTIAL);
        vm.expectEmit(address(med));
        emit IMedShareEvents.RequestorRegistered(
            fresh.addr, hospital, FRESH_CREDENTIAL, node.addr, SEALING_KEY, Class.University, 0
        );
        submit(registration, _sign(fresh, Messages.registration(registration)));
        RequestorView memory view_ = med.requestorOf(fresh.addr);
        assertEq(view_.custodian, hospital);
        assertEq(view_.sealingKey, SEALING_KEY);
        assertEq(uint8(view_.class), uint8(Class.University));
        assertEq(view_.credential, FRESH_CREDENTIAL);
        assertFalse(view_.suspended);
        assertEq(view_.nonce, 1);
    }

    function test_rotatesKeysThroughAnyCustodian() public {
        Registration memory registration = _registration(requestor.addr, CREDENTIAL);
        registration.sealingKey = keccak256("new sealing key");
        registration.class = Class.Government;
        registration.credential = FRESH_CREDENTIAL;
        vm.prank(clinicNode.addr);
        med.registerRequestor(registration, _sign(requestor, Messages.registration(registration)));
        RequestorView memory view_ = med.requestorOf(requestor.addr);
        assertEq(view_.sealingKey, keccak256("new sealing key"));
        assertEq(uint8(view_.class), uint8(Class.Government));
        assertEq(view_.credential, FRESH_CREDENTIAL);
        assertEq(view_.custodian, clinic);
        assertEq(view_.nonce, 2);
    }

    function test_onlyNodes(address caller) public {
        vm.assume(caller != node.addr && caller != clinicNode.addr);
        Registration memory registration = _registration(fresh.addr, FRESH_CREDENTIAL);
        bytes memory signature = _sign(fresh, Messages.registration(registration));
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotNode.selector, caller));
        med.registerRequestor(registration, signature);
    }

    function test_refusesZeros() public {
        Registration memory registration = _registration(address(0), FRESH_CREDENTIAL);
        refuse(registration, "", abi.encodeWithSelector(IMedShareErrors.ZeroValue.selector, bytes32("requestor")));
        registration = _registration(fresh.addr, 0);
        refuse(registration, "", abi.encodeWithSelector(IMedShareErrors.ZeroValue.selector, bytes32("credential")));
        registration = _registration(fresh.addr, FRESH_CREDENTIAL);
        registration.sealingKey = 0;
        refuse(registration, "", abi.encodeWithSelector(IMedShareErrors.ZeroValue.selector, bytes32("sealingKey")));
    }

    function test_deadline() public {
        Registration memory registration = _registration(fresh.addr, FRESH_CREDENTIAL);
        registration.deadline = _later(0);
        bytes memory signature = _sign(fresh, Messages.registration(registration));
        vm.warp(vm.getBlockTimestamp() + 1);
        bytes memory reason =
            abi.encodeWithSelector(IMedShareErrors.DeadlinePassed.selector, registration.deadline, _later(0));
        refuse(registration, signature, reason);
        vm.warp(vm.getBlockTimestamp() - 1);
        submit(registration, signature);
    }

    function test_refusesAReplay() public {
        Registration memory registration = _registration(fresh.addr, FRESH_CREDENTIAL);
        bytes memory signature = _sign(fresh, Messages.registration(registration));
        submit(registration, signature);
        refuse(registration, signature, abi.encodeWithSelector(IMedShareErrors.BadNonce.selector, 1, 0));
    }

    function test_refusesAForeignSignature() public {
        Registration memory registration = _registration(fresh.addr, FRESH_CREDENTIAL);
        bytes memory reason = abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, fresh.addr);
        refuse(registration, _sign(requestor, Messages.registration(registration)), reason);
        bytes memory good = _sign(fresh, Messages.registration(registration));
        refuse(registration, _malleable(good), reason);
        refuse(registration, "", reason);
        refuse(registration, abi.encodePacked(good, uint8(0)), reason);
    }

    function test_refusesEveryAlteredField(uint8 field) public {
        Registration memory registration = _registration(fresh.addr, FRESH_CREDENTIAL);
        bytes memory signature = _sign(fresh, Messages.registration(registration));
        field = field % 4;
        if (field == 0) registration.sealingKey = ~registration.sealingKey;
        if (field == 1) registration.class = Class.Government;
        if (field == 2) registration.credential = ~registration.credential;
        if (field == 3) registration.deadline += 1;
        refuse(registration, signature, abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, fresh.addr));
    }

    function test_refusesAnotherChain() public {
        Registration memory registration = _registration(fresh.addr, FRESH_CREDENTIAL);
        vm.chainId(1);
        bytes memory signature = _sign(fresh, Messages.registration(registration));
        vm.chainId(31337);
        refuse(registration, signature, abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, fresh.addr));
    }

    function test_refusesASuspendedCredentialInAnotherWallet() public {
        vm.prank(hospital);
        med.suspend(requestor.addr);
        Registration memory registration = _registration(fresh.addr, CREDENTIAL);
        bytes memory signature = _sign(fresh, Messages.registration(registration));
        refuse(registration, signature, abi.encodeWithSelector(IMedShareErrors.Suspended.selector, CREDENTIAL));
    }

    function test_refusesANewCredentialForASuspendedWallet() public {
        vm.prank(hospital);
        med.suspend(requestor.addr);
        Registration memory registration = _registration(requestor.addr, FRESH_CREDENTIAL);
        bytes memory signature = _sign(requestor, Messages.registration(registration));
        refuse(registration, signature, abi.encodeWithSelector(IMedShareErrors.Suspended.selector, CREDENTIAL));
    }

    function test_contractWallet() public {
        address wallet = address(new Wallet(fresh.addr));
        Registration memory registration = _registration(wallet, FRESH_CREDENTIAL);
        bytes memory reason = abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, wallet);
        refuse(registration, _sign(requestor, Messages.registration(registration)), reason);
        submit(registration, _sign(fresh, Messages.registration(registration)));
        assertEq(med.requestorOf(wallet).custodian, hospital);
    }

    function test_delegatedAccount() public {
        // EIP-7702: the account's code is a pointer to the delegate's.
        vm.etch(fresh.addr, abi.encodePacked(hex"ef0100", new Delegate()));
        _register(fresh.addr, fresh, FRESH_CREDENTIAL);
        assertEq(med.requestorOf(fresh.addr).custodian, hospital);
    }

    function test_refusesAContractThatIsNoWallet() public {
        address none = address(new NoWallet());
        Registration memory registration = _registration(none, FRESH_CREDENTIAL);
        refuse(registration, "", abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, none));
    }

    function submit(Registration memory registration, bytes memory signature) private {
        vm.prank(node.addr);
        med.registerRequestor(registration, signature);
    }

    function refuse(Registration memory registration, bytes memory signature, bytes memory reason) private {
        vm.expectRevert(reason);
        submit(registration, signature);
    }
}
