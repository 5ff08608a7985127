// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {ActionKind, Item, PackageId, Report, Sensitivity, Session, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Messages} from "./Messages.sol";
import {NoWallet, Wallet} from "./mocks/Wallets.sol";

contract ReportViolationTest is Base {
    PackageId private package;

    function setUp() public override {
        super.setUp();
        package = _issued();
    }

    function test_revokesAtOnce() public {
        Report memory report = _report(package, 3, READ | COPY);
        bytes32 digest = Messages.digest(address(med), Messages.report(report));
        vm.expectEmit(address(med));
        emit IMedShareEvents.ViolationAccepted(package, 3, READ | COPY, digest);
        vm.expectEmit(address(med));
        emit IMedShareEvents.PackageRevoked(package, node.addr, 0);
        vm.expectEmit(address(med));
        emit IMedShareEvents.ResponseTaken(package, requestor.addr, hospital, ActionKind.RevokePackage, 1);
        submit(report);
        _assertState(package, State.Revoked);
        assertEq(med.packageOf(package).settled, 3);
        assertEq(med.packageOf(package).violations, 1);
    }

    function test_alsoWhenActive() public {
        _anchor(package);
        _violate(package, 2);
        _assertState(package, State.Revoked);
    }

    function test_signedByTheWalletItself() public {
        Report memory report = _report(package, 1, COPY);
        Session memory none;
        bytes memory signature = _sign(requestor, Messages.report(report));
        vm.prank(node.addr);
        med.reportViolation(report, signature, none, "");
        _assertState(package, State.Revoked);
    }

    /// @notice What an account has signed it cannot disown by delegating to code that agrees to nothing (EIP-7702).
    function test_delegatingToCodeDisownsNothing() public {
        Report memory report = _report(package, 1, COPY);
        (Session memory session, bytes memory delegation) = _session(package);
        bytes memory signature = _sign(sessionKey, Messages.report(report));
        vm.etch(requestor.addr, abi.encodePacked(hex"ef0100", new NoWallet()));
        vm.prank(node.addr);
        med.reportViolation(report, signature, session, delegation);
        _assertState(package, State.Revoked);
    }

    function test_delegatedByAContractWallet() public {
        Vm.Wallet memory owner = vm.createWallet("owner");
        address wallet = address(new Wallet(owner.addr));
        _register(wallet, owner, "another credential");
        Item memory item = _item();
        item.request.requestor = wallet;
        _complete(item);
        item.requestSignature = _sign(owner, Messages.request(item.request));
        PackageId ofWallet = _issue(item);
        Report memory report = _report(ofWallet, 1, COPY);
        (Session memory session,) = _session(ofWallet);
        bytes memory signature = _sign(sessionKey, Messages.report(report));
        bytes memory delegation = _sign(owner, Messages.session(session));
        vm.prank(node.addr);
        med.reportViolation(report, signature, session, delegation);
        _assertState(ofWallet, State.Revoked);
    }

    function test_judgesAsTheJudgeDoes(bool low, uint8 granted, uint8 exempt, uint8 actions) public {
        Item memory item = _item();
        item.usage.sensitivity = low ? Sensitivity.Low : Sensitivity.High;
        (item.usage.granted, item.usage.exempt) = (granted & 0x3f, exempt & 0x3f);
        _complete(item);
        package = _issue(item);
        uint8 allowed = DECRYPT | item.usage.granted | (low ? item.usage.exempt : 0);
        Report memory report = _report(package, 1, actions);
        if (actions & ~allowed == 0) {
            refuse(report, abi.encodeWithSelector(IMedShareErrors.NoViolation.selector, actions));
        } else {
            submit(report);
            _assertState(package, State.Revoked);
        }
    }

    function test_onlyNodesOfTheOwner(address caller) public {
        vm.assume(caller != node.addr && caller != clinicNode.addr);
        refuseFrom(caller, abi.encodeWithSelector(IMedShareErrors.NotNode.selector, caller));
        bytes memory notOwner = abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, package, clinicNode.addr);
        refuseFrom(clinicNode.addr, notOwner);
        refuseFrom(hospital, abi.encodeWithSelector(IMedShareErrors.NotNode.selector, hospital));
    }

    function test_refusesAnUnknownPackage() public {
        PackageId unknown = PackageId.wrap("unknown");
        refuse(_report(unknown, 1, COPY), abi.encodeWithSelector(IMedShareErrors.UnknownPackage.selector, unknown));
    }

    function test_refusesWhatIsOverOrRevoked() public {
        _violate(package, 1);
        refuse(_report(package, 2, COPY), wrongState(State.Revoked));
        _retrieve(package);
        refuse(_report(package, 2, COPY), wrongState(State.Retrieved));
        package = _issued();
        _expire();
        refuse(_report(package, 2, COPY), wrongState(State.Expired));
    }

    function test_anOldReportDoesNotRevokeTwice(uint32 number) public {
        _violate(package, 5);
        vm.prank(hospital);
        med.regrant(package);
        number = uint32(bound(number, 0, 5));
        bytes memory reason = abi.encodeWithSelector(IMedShareErrors.AlreadySettled.selector, number, 5);
        refuse(_report(package, number, COPY), reason);
        _violate(package, 6);
        assertEq(med.packageOf(package).violations, 2);
    }

    function test_thereIsNoReportZero() public {
        refuse(_report(package, 0, COPY), abi.encodeWithSelector(IMedShareErrors.AlreadySettled.selector, 0, 0));
    }

    function test_refusesAForeignOrAlteredReport(uint8 field) public {
        Report memory report = _report(package, 1, COPY);
        (Session memory session, bytes memory delegation) = _session(package);
        bytes memory signature = _sign(sessionKey, Messages.report(report));
        field = field % 7;
        if (field == 0) report.number += 1;
        if (field == 1) report.previous = ~report.previous;
        if (field == 2) report.actions |= 2;
        if (field == 3) report.time -= 1;
        if (field == 4) report.body = ~report.body;
        if (field == 5) signature = _malleable(signature);
        if (field == 6) signature = _sign(requestor, Messages.report(report));
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, sessionKey.addr));
        vm.prank(node.addr);
        med.reportViolation(report, signature, session, delegation);
    }

    function test_anodeInventsNoReport() public {
        Report memory report = _report(package, 1, COPY);
        Session memory session = Session(package, node.addr, _later(1 hours));
        bytes memory signature = _sign(node, Messages.report(report));
        bytes memory delegation = _sign(node, Messages.session(session));
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, requestor.addr));
        vm.prank(node.addr);
        med.reportViolation(report, signature, session, delegation);
    }

    function test_refusesASessionOfAnotherPackage() public {
        Report memory report = _report(package, 1, COPY);
        (Session memory session, bytes memory delegation) = _session(_issued());
        bytes memory signature = _sign(sessionKey, Messages.report(report));
        vm.expectRevert(
            abi.encodeWithSelector(IMedShareErrors.SessionMismatch.selector, session.package, session.expiry)
        );
        vm.prank(node.addr);
        med.reportViolation(report, signature, session, delegation);
    }

    function test_theSessionMustCoverTheReport() public {
        Report memory report = _report(package, 1, COPY);
        report.time = _later(1 hours);
        refuse(report, abi.encodeWithSelector(IMedShareErrors.SessionMismatch.selector, package, _later(1 hours)));
        report.time -= 1;
        // Settling may come later: late evidence is evidence.
        (Session memory session, bytes memory delegation) = _session(package);
        bytes memory signature = _sign(sessionKey, Messages.report(report));
        vm.warp(vm.getBlockTimestamp() + 1 days);
        vm.prank(node.addr);
        med.reportViolation(report, signature, session, delegation);
        _assertState(package, State.Revoked);
    }

    function wrongState(State state) private view returns (bytes memory) {
        return abi.encodeWithSelector(IMedShareErrors.WrongState.selector, package, state);
    }

    function submit(Report memory report) private {
        (Session memory session, bytes memory delegation) = _session(report.package);
        bytes memory signature = _sign(sessionKey, Messages.report(report));
        vm.prank(node.addr);
        med.reportViolation(report, signature, session, delegation);
    }

    function refuse(Report memory report, bytes memory reason) private {
        (Session memory session, bytes memory delegation) = _session(report.package);
        bytes memory signature = _sign(sessionKey, Messages.report(report));
        vm.expectRevert(reason);
        vm.prank(node.addr);
        med.reportViolation(report, signature, session, delegation);
    }

    function refuseFrom(address caller, bytes memory reason) private {
        Report memory report = _report(package, 1, COPY);
        (Session memory session, bytes memory delegation) = _session(package);
        bytes memory signature = _sign(sessionKey, Messages.report(report));
        vm.expectRevert(reason);
        vm.prank(caller);
        med.reportViolation(report, signature, session, delegation);
    }
}
