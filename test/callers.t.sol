// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IMedShare} from "../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {PackageId, Report, Response, Segment, Session} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Messages} from "./Messages.sol";
import {Miner} from "./Miner.sol";

/// @notice Every function that changes anything, called with good arguments by everybody who must not: each call says
/// who may not, and nothing has changed. The owner of all that is asked for is the hospital.
contract CallersTest is Base {
    /// @dev What a caller gets that may not.
    enum Answer {
        May,
        NotGovernance,
        NotCustodian,
        NotNode,
        NotOwner,
        NotPermitted,
        UnknownNode,
        UnknownDataset,
        NodeTaken,
        Skipped
    }

    address[10] private callers; // in the order of the rows below
    address private removedNode = makeAddr("removed node");
    address private removedCustodian = makeAddr("removed custodian");
    address private nodeOfTheRemoved = makeAddr("node of the removed custodian");
    PackageId private live;
    PackageId private revoked;
    bytes[] private calls;
    Answer[10][] private answers;

    function setUp() public override {
        super.setUp();
        _admit(removedCustodian, nodeOfTheRemoved);
        vm.prank(admin);
        med.removeCustodian(removedCustodian);
        vm.startPrank(hospital);
        med.registerNode(removedNode, SEALING_KEY, "");
        med.removeNode(removedNode);
        vm.stopPrank();
        live = _issued();
        revoked = _revoked();
        callers = [
            admin,
            hospital,
            node.addr,
            clinic,
            clinicNode.addr,
            removedNode,
            removedCustodian,
            nodeOfTheRemoved,
            requestor.addr,
            stranger
        ];
    }

    function test_governance() public {
        Answer[10] memory row = rowOf(Answer.NotGovernance);
        row[0] = Answer.May;
        add(abi.encodeCall(IMedShare.admitCustodian, (stranger)), row);
        add(abi.encodeCall(IMedShare.removeCustodian, (clinic)), row);
        add(abi.encodeCall(IMedShare.setWorkLimit, (Miner.HARD)), row);
        add(abi.encodeCall(IAccessControl.grantRole, (0x00, stranger)), row);
        add(abi.encodeCall(IAccessControl.revokeRole, (0x00, admin)), row);
        check();
    }

    function test_participants() public {
        Answer[10] memory row = rowOf(Answer.NotCustodian);
        (row[1], row[3]) = (Answer.May, Answer.NodeTaken);
        add(abi.encodeCall(IMedShare.registerNode, (node.addr, CREDENTIAL, "")), row);
        row[3] = Answer.UnknownNode;
        add(abi.encodeCall(IMedShare.removeNode, (node.addr)), row);
        row = rowOf(Answer.NotPermitted);
        (row[0], row[1]) = (Answer.May, Answer.May);
        add(abi.encodeCall(IMedShare.suspend, (requestor.addr)), row);
        row = rowOf(Answer.NotNode);
        (row[2], row[4]) = (Answer.May, Answer.May);
        bytes memory signature = _sign(requestor, Messages.registration(_registration(requestor.addr, CREDENTIAL)));
        add(abi.encodeCall(IMedShare.registerRequestor, (_registration(requestor.addr, CREDENTIAL), signature)), row);
        check();
    }

    function test_reinstating() public {
        vm.prank(hospital);
        med.suspend(requestor.addr);
        Answer[10] memory row = rowOf(Answer.NotPermitted);
        (row[0], row[1]) = (Answer.May, Answer.May);
        add(abi.encodeCall(IMedShare.reinstate, (requestor.addr)), row);
        check();
    }

    function test_datasets() public {
        Answer[10] memory row = rowOf(Answer.NotCustodian);
        (row[1], row[3]) = (Answer.May, Answer.May); // a dataset of the clinic's own, with the same id
        add(abi.encodeCall(IMedShare.publishDataset, (DATASET, "new", new bytes32[](0), new Response[](0))), row);
        add(abi.encodeCall(IMedShare.allowRequests, (requestor.addr)), row);
        row[3] = Answer.UnknownDataset;
        add(abi.encodeCall(IMedShare.withdrawDataset, (DATASET)), row);
        check();
    }

    function test_issueAndAnchor() public {
        Answer[10] memory row = rowOf(Answer.NotNode);
        (row[2], row[4]) = (Answer.May, Answer.Skipped);
        add(abi.encodeCall(IMedShare.issue, (_batch(_item()))), row);
        (Segment memory segment, bytes memory entries,) = _segment(live, 1);
        add(abi.encodeCall(IMedShare.anchorReports, (_single(segment), entries)), row);
        check();
    }

    function test_violations() public {
        Answer[10] memory row = rowOf(Answer.NotNode);
        (row[2], row[4]) = (Answer.May, Answer.NotOwner);
        (Session memory session, bytes memory delegation) = _session(live);
        Report memory report = _report(live, 1, COPY);
        bytes memory first = _sign(sessionKey, Messages.report(report));
        add(abi.encodeCall(IMedShare.reportViolation, (report, first, session, delegation)), row);
        Report memory other = _report(live, 1, READ);
        bytes memory second = _sign(sessionKey, Messages.report(other));
        add(abi.encodeCall(IMedShare.reportTampering, (report, first, other, second, session, delegation)), row);
        check();
    }

    function test_owners() public {
        Answer[10] memory row = rowOf(Answer.NotOwner);
        row[1] = Answer.May;
        add(abi.encodeCall(IMedShare.regrant, (revoked)), row);
        row[2] = Answer.May;
        add(abi.encodeCall(IMedShare.revoke, (live, 2)), row);
        bytes memory signature = _sign(requestor, Messages.deletion(live, _later(0)));
        add(abi.encodeCall(IMedShare.retrieve, (live, _later(0), signature)), row);
        check();
    }

    /// @notice The calls above are all there are: five, four, one, three, two, two and three.
    function test_theListIsComplete() public view {
        string memory artifact = vm.readFile("contracts/generated/MedShare.json");
        uint256 changing = vm.split(artifact, '"stateMutability": "nonpayable"').length - 1;
        // The constructor, and `renounceRole`, which only ever takes a role from the caller itself.
        assertEq(changing - 2, 5 + 4 + 1 + 3 + 2 + 2 + 3);
    }

    // ---------------------------------------------------------------- how a table is checked

    function rowOf(Answer answer) private pure returns (Answer[10] memory row) {
        for (uint256 i = 0; i < row.length; i++) {
            row[i] = answer;
        }
    }

    function add(bytes memory call, Answer[10] memory row) private {
        calls.push(call);
        answers.push(row);
    }

    function check() private {
        uint256 start = vm.snapshotState();
        bytes32 before = digest();
        for (uint256 i = 0; i < calls.length; i++) {
            for (uint256 j = 0; j < callers.length; j++) {
                string memory name = string.concat("call ", vm.toString(i), " by ", vm.getLabel(callers[j]));
                Answer answer = answers[i][j];
                vm.recordLogs();
                vm.prank(callers[j]);
                (bool done, bytes memory reason) = address(med).call(calls[i]);
                if (answer == Answer.May) {
                    assertTrue(done, name);
                    assertGt(vm.getRecordedLogs().length, 0, name); // it told of what it did
                } else {
                    assertEq(done, answer == Answer.Skipped, name);
                    if (!done) assertEq(reason, reasonOf(answer, callers[j], i), name);
                    assertEq(digest(), before, name);
                }
                vm.revertToState(start);
            }
        }
    }

    function reasonOf(Answer answer, address caller, uint256 call) private view returns (bytes memory) {
        if (answer == Answer.NotGovernance) {
            return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, bytes32(0));
        }
        if (answer == Answer.NotCustodian) {
            return abi.encodeWithSelector(IMedShareErrors.NotCustodian.selector, caller);
        }
        if (answer == Answer.NotNode) return abi.encodeWithSelector(IMedShareErrors.NotNode.selector, caller);
        if (answer == Answer.NotPermitted) {
            return abi.encodeWithSelector(IMedShareErrors.NotPermitted.selector, caller);
        }
        if (answer == Answer.UnknownNode) {
            return abi.encodeWithSelector(IMedShareErrors.UnknownNode.selector, node.addr);
        }
        if (answer == Answer.NodeTaken) return abi.encodeWithSelector(IMedShareErrors.NodeTaken.selector, node.addr);
        if (answer == Answer.UnknownDataset) {
            return abi.encodeWithSelector(IMedShareErrors.UnknownDataset.selector, caller, DATASET);
        }
        bool regrants = bytes4(calls[call]) == IMedShare.regrant.selector;
        return abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, regrants ? revoked : live, caller);
    }

    /// @dev Of all that any of the calls could change.
    function digest() private view returns (bytes32) {
        (bytes32 descriptor, bytes32[] memory purposes, Response[] memory responses) = med.datasetOf(hospital, DATASET);
        return keccak256(
            abi.encode(
                abi.encode(med.packageOf(live), med.packageOf(revoked), med.threadHead(requestor.addr)),
                abi.encode(med.requestorOf(requestor.addr), med.nodeOf(node.addr), med.nodeOf(removedNode)),
                abi.encode(descriptor, purposes, responses, med.isRefused(hospital, requestor.addr)),
                abi.encode(med.workLimit(), med.custodianCount(), med.isCustodian(stranger)),
                abi.encode(med.hasRole(0x00, admin), med.hasRole(0x00, stranger))
            )
        );
    }
}
