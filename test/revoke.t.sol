// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare, PackageId, State} from "../contracts/interfaces/IMedShare.sol";
import {Base} from "./Base.t.sol";

contract RevokeTest is Base {
    PackageId private package;

    function setUp() public override {
        super.setUp();
        package = _issued();
    }

    function test_byTheCustodian(uint8 reason) public {
        vm.expectEmit(address(med));
        emit IMedShare.PackageRevoked(package, hospital, reason);
        vm.prank(hospital);
        med.revoke(package, reason);
        _assertState(package, State.Revoked);
        assertEq(med.packageOf(package).violations, 0, "the owner's own finding is not counted");
    }

    function test_byANodeOfTheCustodianWhenActive() public {
        _anchor(package);
        vm.expectEmit(address(med));
        emit IMedShare.PackageRevoked(package, node.addr, 3);
        vm.prank(node.addr);
        med.revoke(package, 3);
        _assertState(package, State.Revoked);
    }

    function test_nobodyElse(address caller) public {
        vm.assume(caller != hospital && caller != node.addr);
        refuse(caller);
        refuse(clinic);
        refuse(clinicNode.addr);
        refuse(admin);
        refuse(requestor.addr);
    }

    function test_refusesAnUnknownPackage() public {
        vm.expectRevert(abi.encodeWithSelector(IMedShare.UnknownPackage.selector, NO_PACKAGE));
        vm.prank(hospital);
        med.revoke(NO_PACKAGE, 2);
    }

    function test_refusesEveryOtherState() public {
        vm.startPrank(hospital);
        med.revoke(package, 2);
        _expectWrongState(package, State.Revoked);
        med.revoke(package, 2);
        vm.stopPrank();
        _retrieve(package);
        _expectWrongState(package, State.Retrieved);
        vm.prank(hospital);
        med.revoke(package, 2);
        package = _issued();
        _expire();
        _expectWrongState(package, State.Expired);
        vm.prank(hospital);
        med.revoke(package, 2);
    }

    function refuse(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IMedShare.NotOwner.selector, package, caller));
        vm.prank(caller);
        med.revoke(package, 2);
    }
}
