// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {ActionKind, PackageId, PackageView, Response, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

contract RegrantTest is Base {
    function test_backToIssuedWhereNothingWasReported() public {
        PackageId package = _revoked();
        vm.expectEmit(address(med));
        emit IMedShareEvents.PackageRegranted(package, hospital);
        regrant(package);
        _assertState(package, State.Issued);
    }

    function test_backToActive() public {
        PackageId package = _issued();
        _anchor(package);
        _violate(package, 2);
        PackageView memory before = med.packageOf(package);
        assertEq(before.settled, 2);
        regrant(package);
        _assertOnlyState(before, package, State.Active); // what was settled stays settled
    }

    function test_activeWhenReportsWereAnchoredMeanwhile() public {
        PackageId package = _revoked();
        _anchor(package);
        regrant(package);
        _assertState(package, State.Active);
    }

    function test_outOfEveryEpoch() public {
        Response[] memory responses = new Response[](2);
        responses[0] = Response(ActionKind.RevokeDataset, 1);
        responses[1] = Response(ActionKind.RevokeOwner, 1);
        _publish(responses);
        PackageId package = _issued();
        _violate(_issued(), 1);
        _violate(_issued(), 1);
        _assertState(package, State.Revoked);
        regrant(package);
        _assertState(package, State.Issued);
    }

    function test_onlyTheCustodianItself(address caller) public {
        vm.assume(caller != hospital);
        PackageId package = _revoked();
        refuse(package, caller);
        refuse(package, node.addr);
        refuse(package, clinic);
        refuse(package, admin);
        refuse(package, requestor.addr);
    }

    function test_refusesEveryOtherState() public {
        PackageId package = _issued();
        _expectWrongState(package, State.Issued);
        regrant(package);
        _anchor(package);
        _expectWrongState(package, State.Active);
        regrant(package);
        _retrieve(package);
        _expectWrongState(package, State.Retrieved);
        regrant(package);
        package = _revoked();
        _expire();
        _expectWrongState(package, State.Expired);
        regrant(package);
    }

    function test_refusesAnUnknownPackage() public {
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.UnknownPackage.selector, NO_PACKAGE));
        regrant(NO_PACKAGE);
    }

    function regrant(PackageId package) private {
        vm.prank(hospital);
        med.regrant(package);
    }

    function refuse(PackageId package, address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, package, caller));
        vm.prank(caller);
        med.regrant(package);
    }
}
