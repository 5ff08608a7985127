// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {Item, PackageId, Segment, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

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

    function test_itsNodesCanDoNothing() public {
        PackageId package = _issued();
        Item memory item = _item();
        (Segment memory segment, bytes memory entries,) = _segment(package, 1);
        _removeHospital();
        bytes memory notNode = abi.encodeWithSelector(IMedShareErrors.NotNode.selector, node.addr);
        vm.startPrank(node.addr);
        vm.expectRevert(notNode);
        med.issue(_batch(item));
        vm.expectRevert(notNode);
        med.anchorReports(_single(segment), entries);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, package, node.addr));
        med.revoke(package, 2);
        vm.stopPrank();
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
