// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {PackageId, PackageView, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

contract RevokeTest is Base {
    PackageId private package;

    function setUp() public override {
        super.setUp();
        package = _issued();
    }

    function test_byTheCustodian(uint8 reason) public {
        reason = uint8(bound(reason, 2, 255));
        PackageView memory before = med.packageOf(package);
        vm.expectEmit(address(med));
        emit IMedShareEvents.PackageRevoked(package, hospital, reason);
        vm.prank(hospital);
        med.revoke(package, reason);
        _assertOnlyState(before, package, State.Revoked); // the owner's own finding is not counted as a violation
    }

    function test_byANodeOfTheCustodianWhenActive() public {
        _anchor(package);
        vm.expectEmit(address(med));
        emit IMedShareEvents.PackageRevoked(package, node.addr, 3);
        vm.prank(node.addr);
        med.revoke(package, 3);
        _assertState(package, State.Revoked);
    }

    /// @notice 0 and 1 are the contract's own words for a violation and for tampering that it has judged.
    function test_refusesTheContractsOwnReasons(bool tampering) public {
        uint8 reason = tampering ? 1 : 0;
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.ReservedReason.selector, reason));
        vm.prank(hospital);
        med.revoke(package, reason);
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
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.UnknownPackage.selector, NO_PACKAGE));
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
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, package, caller));
        vm.prank(caller);
        med.revoke(package, 2);
    }
}
