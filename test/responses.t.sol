// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {ActionKind, DatasetId, Item, PackageId, Response, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Wallet} from "./mocks/Wallets.sol";

/// @notice What follows a violation that `reportViolation` accepts, by the owner's choice (P7). The package is out before
/// each choice is made: it holds for that one too.
contract ResponsesTest is Base {
    PackageId private package;

    function setUp() public override {
        super.setUp();
        package = _issued();
    }

    function test_revokesEveryPackageOfTheDataset() public {
        respondWith(ActionKind.RevokeDataset, 1);
        PackageId second = _issued();
        vm.expectEmit(address(med));
        emit IMedShareEvents.ResponseTaken(package, requestor.addr, hospital, ActionKind.RevokeDataset, 1);
        _violate(package, 1);
        _assertState(second, State.Revoked);
        _assertState(_issued(), State.Issued);
    }

    function test_leavesOtherDatasetsAlone() public {
        respondWith(ActionKind.RevokeDataset, 1);
        PackageId other = issuedOf(DatasetId.wrap("other dataset"));
        _violate(package, 1);
        _assertState(other, State.Issued);
    }

    function test_revokesEveryPackageOfTheOwner() public {
        respondWith(ActionKind.RevokeOwner, 1);
        PackageId other = issuedOf(DatasetId.wrap("other dataset"));
        _violate(package, 1);
        _assertState(other, State.Revoked);
        _assertState(_issued(), State.Issued);
    }

    function test_leavesOtherRequestorsAlone() public {
        respondWith(ActionKind.RevokeOwner, 1);
        Vm.Wallet memory first = requestor;
        requestor = vm.createWallet("another requestor");
        _register(requestor.addr, requestor, "another credential");
        PackageId others = _issued();
        requestor = first;
        _violate(package, 1);
        _assertState(others, State.Issued);
        assertEq(med.packageOf(others).violations, 0);
    }

    function test_refusesNewRequests() public {
        respondWith(ActionKind.RefuseRequests, 1);
        _violate(package, 1);
        assertTrue(med.isRefused(hospital, requestor.addr));
        assertFalse(med.isRefused(clinic, requestor.addr));
    }

    function test_fromTheNthViolationOn(uint8 threshold) public {
        threshold = uint8(bound(threshold, 2, 6));
        respondWith(ActionKind.RefuseRequests, threshold);
        // Counted over all packages of the dataset.
        for (uint32 i = 1; i < threshold; i++) {
            _violate(_issued(), 1);
            assertFalse(med.isRefused(hospital, requestor.addr));
        }
        vm.expectEmit(address(med));
        emit IMedShareEvents.ResponseTaken(package, requestor.addr, hospital, ActionKind.RefuseRequests, threshold);
        _violate(package, 1);
        assertTrue(med.isRefused(hospital, requestor.addr));
    }

    function test_isTakenAgainAtEveryLaterViolation() public {
        respondWith(ActionKind.RevokeDataset, 1);
        _violate(package, 1);
        package = _issued();
        PackageId second = _issued();
        _violate(package, 1);
        _assertState(second, State.Revoked);
    }

    function test_oneReceiptForThePackageItself() public {
        respondWith(ActionKind.RevokePackage, 1);
        vm.recordLogs();
        _violate(package, 1);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 receipts = 0;
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] == IMedShareEvents.ResponseTaken.selector) receipts++;
        }
        assertEq(receipts, 1);
    }

    function test_aRegrantedPackageOfAnOlderEpochIsLive() public {
        respondWith(ActionKind.RevokeDataset, 1);
        PackageId second = _issued();
        _violate(package, 1);
        vm.prank(hospital);
        med.regrant(second);
        _assertState(second, State.Issued);
        _assertState(package, State.Revoked);
        _violate(second, 1);
        _assertState(second, State.Revoked);
    }

    function respondWith(ActionKind kind, uint32 threshold) private {
        Response[] memory responses = new Response[](1);
        responses[0] = Response(kind, threshold);
        _publish(responses);
    }

    function issuedOf(DatasetId dataset) private returns (PackageId) {
        vm.prank(hospital);
        med.publishDataset(dataset, "descriptor", new bytes32[](0), new Response[](0));
        Item memory item = _item();
        item.request.dataset = dataset;
        _complete(item);
        return _issue(item);
    }
}
