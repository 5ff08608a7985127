// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {ActionKind, DatasetId, Item, PackageId, Response, Sensitivity, State} from "../contracts/interfaces/Types.sol";
import {Skips} from "./Skips.sol";
import {Messages} from "./Messages.sol";

/// @notice `issue` and what is wrong with a request, or with the second node's signature.
contract IssueRequestTest is Skips {
    // ---------------------------------------------------------------- the request

    function test_skipsAnUnknownRequestor() public {
        Item memory item = _item();
        item.request.requestor = stranger;
        _skip(item, abi.encodeWithSelector(IMedShareErrors.UnknownRequestor.selector, stranger));
    }

    function test_skipsASuspendedRequestor() public {
        vm.prank(admin);
        med.suspend(requestor.addr);
        _skip(_item(), abi.encodeWithSelector(IMedShareErrors.Suspended.selector, CREDENTIAL));
    }

    function test_skipsARefusedRequestor() public {
        Response[] memory responses = new Response[](1);
        responses[0] = Response(ActionKind.RefuseRequests, 1);
        _publish(responses);
        _violate(_issued(), 2);
        _skip(_item(), abi.encodeWithSelector(IMedShareErrors.Refused.selector, hospital, requestor.addr));
    }

    function test_skipsAnUnknownDataset() public {
        Item memory item = _item();
        item.request.dataset = DatasetId.wrap("another");
        _skip(item, abi.encodeWithSelector(IMedShareErrors.UnknownDataset.selector, hospital, bytes32("another")));
    }

    function test_skipsAPurposeThatIsNotAllowed() public {
        Item memory item = _item();
        item.request.purpose = "MARKETING";
        _skip(item, abi.encodeWithSelector(IMedShareErrors.PurposeNotAllowed.selector, bytes32("MARKETING")));
    }

    function test_withoutAListAnyPurposeIsAllowed(bytes32 purpose) public {
        vm.prank(hospital);
        med.publishDataset(DATASET, "descriptor", new bytes32[](0), new Response[](0));
        Item memory item = _item();
        item.request.purpose = purpose;
        _complete(item);
        _assertState(_issue(item), State.Issued);
    }

    function test_requestDeadline() public {
        Item memory item = _item();
        item.request.deadline = _later(0);
        _complete(item);
        vm.warp(vm.getBlockTimestamp() + 1);
        _skip(item, abi.encodeWithSelector(IMedShareErrors.DeadlinePassed.selector, item.request.deadline, _later(0)));
        vm.warp(vm.getBlockTimestamp() - 1);
        _assertState(_issue(item), State.Issued);
    }

    function test_skipsARepeat() public {
        Item memory item = _item();
        PackageId package = _issue(item);
        _complete(item);
        _skipWith(item, abi.encodeWithSelector(IMedShareErrors.AlreadyIssued.selector, package));
        _assertState(package, State.Issued);
    }

    function test_skipsAForeignOrAlteredRequest(uint8 field) public {
        Item memory item = _item();
        field = field % 7;
        if (field == 0) item.request.salt = ~item.request.salt;
        if (field == 1) item.request.selection = ~item.request.selection;
        if (field == 2) item.request.deadline += 1;
        if (field == 3) item.request.purpose = OTHER_PURPOSE;
        if (field == 4) item.requestSignature = _malleable(item.requestSignature);
        if (field == 5) item.requestSignature = _sign(node, Messages.request(item.request));
        if (field == 6) {
            vm.chainId(1);
            item.requestSignature = _sign(requestor, Messages.request(item.request));
            vm.chainId(31337);
        }
        _skip(item, abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, requestor.addr));
    }

    // ---------------------------------------------------------------- the second node

    function test_skipsAnotherCustodiansRequest() public {
        Item memory item = _item();
        bytes memory reason =
            abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, _idOf(item.request), clinicNode.addr);
        vm.expectEmit(address(med));
        emit IMedShareEvents.ItemSkipped(_idOf(item.request), clinicNode.addr, reason);
        vm.prank(clinicNode.addr);
        med.issue(_batch(item));
        _assertState(_idOf(item.request), State.None);
    }

    function test_skipsAVerifierThatIsNoNode() public {
        Item memory item = _item();
        item.verifier = stranger;
        _skip(item, abi.encodeWithSelector(IMedShareErrors.UnknownNode.selector, stranger));
    }

    function test_skipsTheSenderAsItsOwnSecond() public {
        Item memory item = _item();
        item.verifier = node.addr;
        _validate(item, node);
        _skip(item, abi.encodeWithSelector(IMedShareErrors.VerifierIsSender.selector, node.addr));
    }

    function test_secondNodeOfTheSameCustodianOnlyWhereThereIsNoOther() public {
        Vm.Wallet memory second = vm.createWallet("second node");
        vm.prank(hospital);
        med.registerNode(second.addr, SEALING_KEY, "");
        Item memory item = _item();
        item.verifier = second.addr;
        _validate(item, second);
        _skip(item, abi.encodeWithSelector(IMedShareErrors.VerifierOfSameCustodian.selector, second.addr));
        vm.prank(admin);
        med.removeCustodian(clinic);
        _assertState(_issue(item), State.Issued);
    }

    function test_skipsWhatTheSecondNodeDidNotSee(uint8 field) public {
        Item memory item = _item();
        field = field % 7;
        if (field == 0) item.payloadHash = ~item.payloadHash;
        if (field == 1) item.formDigest = ~item.formDigest;
        if (field == 2) item.usage.sensitivity = Sensitivity.Low;
        if (field == 3) item.usage.granted |= COPY;
        if (field == 4) item.validationDeadline += 1;
        if (field == 5) item.validationSignature = _malleable(item.validationSignature);
        if (field == 6) _validate(item, node);
        _skip(item, abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, clinicNode.addr));
    }

    function test_skipsAValidationOfAnotherPackage() public {
        Item memory item = _item();
        item.validationSignature = _item().validationSignature;
        _skip(item, abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, clinicNode.addr));
    }

    function test_validationDeadline() public {
        Item memory item = _item();
        vm.warp(vm.getBlockTimestamp() + 10 minutes + 1);
        uint64 deadline = item.validationDeadline;
        _skip(item, abi.encodeWithSelector(IMedShareErrors.DeadlinePassed.selector, deadline, _later(0)));
        vm.warp(vm.getBlockTimestamp() - 1);
        _assertState(_issue(item), State.Issued);
    }
}
