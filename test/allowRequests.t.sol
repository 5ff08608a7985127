// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {ActionKind, PackageId, Response, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

contract AllowRequestsTest is Base {
    function test_letsARefusedRequestorAskAgain() public {
        Response[] memory responses = new Response[](1);
        responses[0] = Response(ActionKind.RefuseRequests, 1);
        _publish(responses);
        _violate(_issued(), 2);
        assertTrue(med.isRefused(hospital, requestor.addr));
        _assertState(_issue(_item()), State.None);

        vm.expectEmit(address(med));
        emit IMedShareEvents.RequestsAllowed(hospital, requestor.addr);
        vm.prank(hospital);
        med.allowRequests(requestor.addr);
        assertFalse(med.isRefused(hospital, requestor.addr));
        _assertState(_issue(_item()), State.Issued);
    }

    function test_leavesPackagesAlone() public {
        (PackageId live, PackageId revoked) = (_issued(), _revoked());
        vm.prank(hospital);
        med.allowRequests(requestor.addr);
        _assertState(live, State.Issued);
        _assertState(revoked, State.Revoked);
    }

    function test_isTheOwnersOwn() public {
        Response[] memory responses = new Response[](1);
        responses[0] = Response(ActionKind.RefuseRequests, 1);
        _publish(responses);
        _violate(_issued(), 2);
        vm.prank(clinic);
        med.allowRequests(requestor.addr);
        assertTrue(med.isRefused(hospital, requestor.addr));
    }

    function test_onlyCustodians(address caller) public {
        vm.assume(caller != hospital && caller != clinic);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotCustodian.selector, caller));
        med.allowRequests(requestor.addr);
    }
}
