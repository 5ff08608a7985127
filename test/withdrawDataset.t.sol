// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {ActionKind, Item, PackageId, Response, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

contract WithdrawDatasetTest is Base {
    function test_withdraws() public {
        vm.expectEmit(address(med));
        emit IMedShareEvents.DatasetWithdrawn(hospital, DATASET);
        vm.prank(hospital);
        med.withdrawDataset(DATASET);
        (bytes32 descriptor,,) = med.datasetOf(hospital, DATASET);
        assertEq(descriptor, 0);
    }

    function test_noNewRequestsButPackagesGoOn() public {
        Response[] memory responses = new Response[](3);
        responses[0] = Response(ActionKind.RevokeDataset, 3);
        responses[1] = Response(ActionKind.RevokeOwner, 2);
        responses[2] = Response(ActionKind.RefuseRequests, 1);
        _publish(responses);
        PackageId package = _issued();
        Item memory item = _item();
        vm.prank(hospital);
        med.withdrawDataset(DATASET);
        (,, Response[] memory held) = med.datasetOf(hospital, DATASET);
        assertEq(abi.encode(held), abi.encode(responses));
        bytes memory reason = abi.encodeWithSelector(IMedShareErrors.UnknownDataset.selector, hospital, DATASET);
        vm.expectEmit(address(med));
        emit IMedShareEvents.ItemSkipped(_idOf(item.request), node.addr, reason);
        _issue(item);
        _assertState(package, State.Issued);
        _violate(package, 2);
        assertTrue(med.isRefused(hospital, requestor.addr), "responses to its packages go on");
    }

    function test_refusesWhatIsNotPublished() public {
        vm.prank(clinic);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.UnknownDataset.selector, clinic, DATASET));
        med.withdrawDataset(DATASET);
    }

    function test_onlyCustodians(address caller) public {
        vm.assume(caller != hospital && caller != clinic);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotCustodian.selector, caller));
        med.withdrawDataset(DATASET);
    }
}
