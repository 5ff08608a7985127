// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {ActionKind, PackageId, Report, Response, Session, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Messages} from "./Messages.sol";

contract ReportTamperingTest is Base {
    PackageId private package;
    Report private first;
    Report private second;

    function setUp() public override {
        super.setUp();
        package = _issued();
        first = _report(package, 2, READ);
        second = _report(package, 2, READ);
        second.body = keccak256("another body");
    }

    function test_twoReportsWithOneNumberRevoke() public {
        bytes32 digest = Messages.digest(address(med), Messages.report(first));
        vm.expectEmit(address(med));
        emit IMedShareEvents.ViolationAccepted(package, 2, TAMPERING, digest);
        vm.expectEmit(address(med));
        emit IMedShareEvents.PackageRevoked(package, node.addr, 1);
        vm.expectEmit(address(med));
        emit IMedShareEvents.ResponseTaken(package, requestor.addr, hospital, ActionKind.RevokePackage, 1);
        submit();
        _assertState(package, State.Revoked);
        assertEq(med.packageOf(package).settled, 2);
        assertEq(med.packageOf(package).violations, 1);
    }

    function test_signedByTheWalletItself() public {
        Session memory none;
        bytes memory one = _sign(requestor, Messages.report(first));
        bytes memory other = _sign(requestor, Messages.report(second));
        vm.prank(node.addr);
        med.reportTampering(first, one, second, other, none, "");
        _assertState(package, State.Revoked);
    }

    function test_responsesFollow() public {
        Response[] memory responses = new Response[](1);
        responses[0] = Response(ActionKind.RefuseRequests, 1);
        _publish(responses);
        submit();
        assertTrue(med.isRefused(hospital, requestor.addr));
    }

    function test_refusesTheSameReportTwice() public {
        second = first;
        refuse(abi.encodeWithSelector(IMedShareErrors.NotTampering.selector, second.package, second.number));
    }

    function test_refusesTwoNumbers() public {
        second.number = 3;
        refuse(abi.encodeWithSelector(IMedShareErrors.NotTampering.selector, second.package, second.number));
    }

    function test_refusesTwoPackages() public {
        second.package = _issued();
        refuse(abi.encodeWithSelector(IMedShareErrors.NotTampering.selector, second.package, second.number));
    }

    function test_doesNotRevokeTwice() public {
        submit();
        vm.prank(hospital);
        med.regrant(package);
        refuse(abi.encodeWithSelector(IMedShareErrors.AlreadySettled.selector, 2, 2));
    }

    function test_refusesAReportThatTheKeyDidNotSign(bool which) public {
        (Session memory session, bytes memory delegation) = _session(package);
        bytes memory one = _sign(which ? node : sessionKey, Messages.report(first));
        bytes memory other = _sign(which ? sessionKey : node, Messages.report(second));
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, sessionKey.addr));
        vm.prank(node.addr);
        med.reportTampering(first, one, second, other, session, delegation);
    }

    function test_refusesASessionThatTheWalletDidNotSign() public {
        (Session memory session,) = _session(package);
        bytes memory delegation = _sign(node, Messages.session(session));
        bytes memory one = _sign(sessionKey, Messages.report(first));
        bytes memory other = _sign(sessionKey, Messages.report(second));
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, requestor.addr));
        vm.prank(node.addr);
        med.reportTampering(first, one, second, other, session, delegation);
    }

    function test_refusesAReportOutsideTheSession() public {
        second.time = _later(1 hours);
        refuse(abi.encodeWithSelector(IMedShareErrors.SessionMismatch.selector, package, _later(1 hours)));
    }

    function test_refusesASessionOfAnotherPackage() public {
        (Session memory session, bytes memory delegation) = _session(_issued());
        bytes memory one = _sign(sessionKey, Messages.report(first));
        bytes memory other = _sign(sessionKey, Messages.report(second));
        vm.expectRevert(
            abi.encodeWithSelector(IMedShareErrors.SessionMismatch.selector, session.package, session.expiry)
        );
        vm.prank(node.addr);
        med.reportTampering(first, one, second, other, session, delegation);
    }

    function test_onlyNodesOfTheOwner(address caller) public {
        vm.assume(caller != node.addr && caller != clinicNode.addr);
        refuseFrom(caller, abi.encodeWithSelector(IMedShareErrors.NotNode.selector, caller));
        refuseFrom(clinicNode.addr, abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, package, clinicNode.addr));
    }

    function test_refusesWhatIsRevokedOrUnknown() public {
        vm.prank(hospital);
        med.revoke(package, 2);
        refuse(abi.encodeWithSelector(IMedShareErrors.WrongState.selector, package, State.Revoked));
        first.package = PackageId.wrap("unknown");
        refuse(abi.encodeWithSelector(IMedShareErrors.UnknownPackage.selector, first.package));
    }

    function submit() private {
        from(node.addr, "");
    }

    function refuse(bytes memory reason) private {
        from(node.addr, reason);
    }

    function refuseFrom(address caller, bytes memory reason) private {
        from(caller, reason);
    }

    function from(address caller, bytes memory reason) private {
        (Session memory session, bytes memory delegation) = _session(package);
        bytes memory one = _sign(sessionKey, Messages.report(first));
        bytes memory other = _sign(sessionKey, Messages.report(second));
        if (reason.length != 0) vm.expectRevert(reason);
        vm.prank(caller);
        med.reportTampering(first, one, second, other, session, delegation);
    }
}
