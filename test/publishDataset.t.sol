// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {ActionKind, DatasetId, Response, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

contract PublishDatasetTest is Base {
    DatasetId private constant OTHER = DatasetId.wrap("laboratory");
    bytes32[] private purposes;
    Response[] private responses;

    function test_publishes() public {
        purposes.push(PURPOSE);
        responses.push(Response(ActionKind.RevokeDataset, 2));
        responses.push(Response(ActionKind.RefuseRequests, 3));
        vm.expectEmit(address(med));
        emit IMedShareEvents.DatasetPublished(clinic, OTHER, "descriptor", purposes, responses);
        publish(OTHER, "descriptor");
        (bytes32 descriptor, bytes32[] memory held, Response[] memory heldResponses) = med.datasetOf(clinic, OTHER);
        assertEq(descriptor, "descriptor");
        assertEq(held, purposes);
        assertEq(abi.encode(heldResponses), abi.encode(responses));
    }

    function test_aNewVersionReplacesTheOld() public {
        responses.push(Response(ActionKind.RevokeDataset, 2));
        purposes = [PURPOSE, OTHER_PURPOSE];
        publish(OTHER, "descriptor");
        purposes.pop();
        responses.pop();
        publish(OTHER, "second");
        (bytes32 descriptor, bytes32[] memory held, Response[] memory heldResponses) = med.datasetOf(clinic, OTHER);
        assertEq(descriptor, "second");
        assertEq(held, purposes);
        assertEq(heldResponses.length, 0);
    }

    function test_idsAreTheCustodiansOwn() public {
        publish(DATASET, "of the clinic");
        (bytes32 descriptor,,) = med.datasetOf(hospital, DATASET);
        assertEq(descriptor, keccak256("descriptor"));
    }

    function test_onlyCustodians(address caller) public {
        vm.assume(caller != hospital && caller != clinic);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotCustodian.selector, caller));
        med.publishDataset(OTHER, "descriptor", purposes, responses);
    }

    function test_refusesZeros() public {
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.ZeroValue.selector, bytes32("dataset")));
        publish(DatasetId.wrap(0), "descriptor");
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.ZeroValue.selector, bytes32("descriptor")));
        publish(OTHER, 0);
        purposes.push(0);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.ZeroValue.selector, bytes32("purpose")));
        publish(OTHER, "descriptor");
    }

    function test_refusesAPurposeTwice() public {
        purposes = [PURPOSE, OTHER_PURPOSE, PURPOSE];
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.PurposeTwice.selector, PURPOSE));
        publish(OTHER, "descriptor");
    }

    /// @notice The view has them by kind, whatever order they were published in.
    function test_everySetOfResponses(uint8 kinds, uint32[3] memory thresholds) public {
        for (uint256 kind = 3; kind > 0; kind--) {
            uint32 threshold = uint32(bound(thresholds[kind - 1], 1, type(uint32).max));
            if ((kinds >> kind) & 1 == 1) responses.push(Response(ActionKind(kind), threshold));
        }
        publish(OTHER, "descriptor");
        (,, Response[] memory held) = med.datasetOf(clinic, OTHER);
        assertEq(held.length, responses.length);
        for (uint256 i = 0; i < held.length; i++) {
            assertEq(abi.encode(held[i]), abi.encode(responses[held.length - 1 - i]));
        }
    }

    function test_limits() public {
        for (uint256 i = 1; i <= 64; i++) {
            purposes.push(bytes32(i));
        }
        publish(OTHER, "descriptor");
        purposes.push(bytes32(uint256(65)));
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.TooLong.selector, 65, 64));
        publish(OTHER, "descriptor");
        delete purposes;
        for (uint32 i = 0; i < 5; i++) {
            responses.push(Response(ActionKind.RevokeDataset, i + 1));
        }
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.TooLong.selector, 5, 4));
        publish(OTHER, "descriptor");
    }

    function test_refusesAResponseToNoViolation() public {
        responses.push(Response(ActionKind.RevokeOwner, 0));
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadResponse.selector, ActionKind.RevokeOwner, 0));
        publish(OTHER, "descriptor");
    }

    function test_refusesAKindTwice() public {
        responses.push(Response(ActionKind.RevokeOwner, 1));
        responses.push(Response(ActionKind.RevokeOwner, 2));
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadResponse.selector, ActionKind.RevokeOwner, 2));
        publish(OTHER, "descriptor");
    }

    function test_refusesToPromiseALateRevocation() public {
        responses.push(Response(ActionKind.RevokePackage, 1));
        publish(OTHER, "descriptor");
        responses[0].threshold = 2;
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadResponse.selector, ActionKind.RevokePackage, 2));
        publish(OTHER, "descriptor");
    }

    function test_afterAWithdrawalPublishesAgain() public {
        vm.prank(hospital);
        med.withdrawDataset(DATASET);
        _publish(new Response[](0));
        _assertState(_issue(_item()), State.Issued);
    }

    function publish(DatasetId dataset, bytes32 descriptor) private {
        vm.prank(clinic);
        med.publishDataset(dataset, descriptor, purposes, responses);
    }
}
