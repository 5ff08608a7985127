// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IMedShare} from "../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {Item, PackageId, Registration, Report, Segment, Session, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Messages} from "./Messages.sol";

contract RemoveCustodianTest is Base {
    function test_removes() public {
        vm.expectEmit(address(med));
        emit IMedShareEvents.NodeRemoved(hospital, node.addr);
        vm.expectEmit(address(med));
        emit IMedShareEvents.CustodianRemoved(hospital);
        _removeHospital();
        assertFalse(med.isCustodian(hospital));
        assertEq(med.custodianCount(), 1);
        assertEq(med.nodeOf(node.addr).custodian, address(0));
        assertEq(med.nodeOf(node.addr).endpoint, "");
    }

    function test_onlyGovernance(address caller) public {
        vm.assume(caller != admin);
        vm.prank(caller);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, bytes32(0))
        );
        med.removeCustodian(hospital);
    }

    function test_refusesWhoIsNotAdmitted() public {
        vm.prank(admin);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotAdmitted.selector, stranger));
        med.removeCustodian(stranger);
    }

    /// @notice Admitted again it has none of its old nodes, and no say over them when somebody else has them now.
    function test_itsNodesDoNotComeBack() public {
        _removeHospital();
        vm.prank(admin);
        med.admitCustodian(hospital);
        assertEq(med.nodeOf(node.addr).custodian, address(0));
        vm.prank(clinic);
        med.registerNode(node.addr, SEALING_KEY, "https://node.clinic.example");
        vm.prank(hospital);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.UnknownNode.selector, node.addr));
        med.removeNode(node.addr);
        assertEq(med.nodeOf(node.addr).custodian, clinic);
    }

    /// @notice Not even with the packages that were their custodian's own.
    function test_itsNodesCanDoNothing() public {
        PackageId package = _issued();
        bytes memory notNode = abi.encodeWithSelector(IMedShareErrors.NotNode.selector, node.addr);
        bytes memory notOwner = abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, package, node.addr);
        bytes[] memory asNode = nodesCalls(package);
        bytes[] memory asOwner = new bytes[](2);
        bytes memory signature = _sign(requestor, Messages.deletion(package, _later(0)));
        asOwner[0] = abi.encodeCall(IMedShare.revoke, (package, 2));
        asOwner[1] = abi.encodeCall(IMedShare.retrieve, (package, _later(0), signature));
        _removeHospital();
        for (uint256 i = 0; i < asNode.length; i++) {
            refused(asNode[i], notNode);
        }
        for (uint256 i = 0; i < asOwner.length; i++) {
            refused(asOwner[i], notOwner);
        }
        _assertState(package, State.Issued);
    }

    function nodesCalls(PackageId package) private returns (bytes[] memory calls) {
        calls = new bytes[](5);
        Registration memory registration = _registration(requestor.addr, CREDENTIAL);
        bytes memory signature = _sign(requestor, Messages.registration(registration));
        calls[0] = abi.encodeCall(IMedShare.registerRequestor, (registration, signature));
        calls[1] = abi.encodeCall(IMedShare.issue, (_batch(_item())));
        (Segment memory segment, bytes memory entries,) = _segment(package, 1);
        calls[2] = abi.encodeCall(IMedShare.anchorReports, (_single(segment), entries));
        (Session memory session, bytes memory delegation) = _session(package);
        (Report memory report, Report memory other) = (_report(package, 1, COPY), _report(package, 1, READ));
        signature = _sign(sessionKey, Messages.report(report));
        bytes memory second = _sign(sessionKey, Messages.report(other));
        calls[3] = abi.encodeCall(IMedShare.reportViolation, (report, signature, session, delegation));
        calls[4] = abi.encodeCall(IMedShare.reportTampering, (report, signature, other, second, session, delegation));
    }

    function refused(bytes memory call, bytes memory reason) private {
        vm.prank(node.addr);
        (bool done, bytes memory answer) = address(med).call(call);
        assertFalse(done, vm.toString(bytes.concat(bytes4(call))));
        assertEq(answer, reason, vm.toString(bytes.concat(bytes4(call))));
    }

    function test_mayStillTakeAccessAwayButNotGiveIt() public {
        PackageId package = _issued();
        _removeHospital();
        vm.startPrank(hospital);
        med.revoke(package, 2);
        _assertState(package, State.Revoked);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotCustodian.selector, hospital));
        med.regrant(package);
        vm.stopPrank();
        _retrieve(package);
        _assertState(package, State.Retrieved);
    }

    function test_itsNodesCanNotValidate() public {
        vm.prank(admin);
        med.removeCustodian(clinic);
        Item memory item = _item();
        bytes memory reason = abi.encodeWithSelector(IMedShareErrors.UnknownNode.selector, clinicNode.addr);
        vm.expectEmit(address(med));
        emit IMedShareEvents.ItemSkipped(_idOf(item.request), node.addr, reason);
        _issue(item);
    }
}
