// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../contracts/interfaces/IMedShare.sol";
import {AccessRequest, Item, PackageId, Report, Response, Segment, Session} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Miner} from "./Miner.sol";

/// @notice Every function that changes anything, called by somebody who has no part in the consortium.
contract StrangerTest is Base {
    PackageId private package;

    function setUp() public override {
        super.setUp();
        package = _issued();
    }

    function calls() private returns (bytes[] memory all) {
        Item memory item = _item();
        (Segment memory segment, bytes memory entries,) = _segment(package, 1);
        Report memory report = _report(package, 1, COPY);
        (Session memory session, bytes memory delegation) = _session(package);
        bytes32[] memory purposes;
        Response[] memory responses;
        all = new bytes[](20);
        all[0] = abi.encodeCall(IMedShare.admitCustodian, (stranger));
        all[1] = abi.encodeCall(IMedShare.removeCustodian, (hospital));
        all[2] = abi.encodeCall(IMedShare.setWorkLimit, (Miner.EASY));
        all[3] = abi.encodeCall(IMedShare.registerNode, (stranger, SEALING_KEY, ""));
        all[4] = abi.encodeCall(IMedShare.removeNode, (node.addr));
        all[5] = abi.encodeCall(IMedShare.registerRequestor, (_registration(stranger, CREDENTIAL), ""));
        all[6] = abi.encodeCall(IMedShare.suspend, (requestor.addr));
        all[7] = abi.encodeCall(IMedShare.reinstate, (requestor.addr));
        all[8] = abi.encodeCall(IMedShare.publishDataset, (DATASET, DATASET, purposes, responses));
        all[9] = abi.encodeCall(IMedShare.withdrawDataset, (DATASET));
        all[10] = abi.encodeCall(IMedShare.allowRequests, (requestor.addr));
        all[11] = abi.encodeCall(IMedShare.issue, (_batch(item)));
        all[12] = abi.encodeCall(med.revokeRole, (0x00, admin));
        all[13] = abi.encodeCall(IMedShare.anchorReports, (_single(segment), entries));
        all[14] = abi.encodeCall(med.grantRole, (0x00, stranger));
        all[15] = abi.encodeCall(IMedShare.reportViolation, (report, "", session, delegation));
        all[16] = abi.encodeCall(IMedShare.reportTampering, (report, "", report, "", session, delegation));
        all[17] = abi.encodeCall(IMedShare.revoke, (package, 2));
        all[18] = abi.encodeCall(IMedShare.regrant, (package));
        all[19] = abi.encodeCall(IMedShare.retrieve, (package, 0, ""));
    }

    function test_canDoNothing() public {
        bytes[] memory all = calls();
        for (uint256 i = 0; i < all.length; i++) {
            vm.prank(stranger);
            (bool done, bytes memory reason) = address(med).call(all[i]);
            assertFalse(done, string.concat("call ", vm.toString(i)));
            assertGe(reason.length, 36, "says who may not");
            // Each of these errors carries the caller, as its last or last but one word.
            bytes32 who = bytes32(uint256(uint160(stranger)));
            bytes memory body = new bytes(reason.length - 4);
            for (uint256 at = 4; at < reason.length; at++) {
                body[at - 4] = reason[at];
            }
            bool named;
            for (uint256 at = 0; at + 32 <= body.length; at += 32) {
                bytes32 word;
                assembly ("memory-safe") {
                    word := mload(add(add(body, 0x20), at))
                }
                named = named || word == who;
            }
            assertTrue(named, string.concat("refused for another reason, call ", vm.toString(i)));
        }
    }

    /// @notice The list above is complete: every function of the artifact that is not a view is in it.
    function test_theListIsComplete() public view {
        string memory artifact = vm.readFile("contracts/generated/MedShare.json");
        // `renounceRole` is the one left out: it only ever takes a role from the caller itself.
        assertEq(
            occurrences(artifact, '"stateMutability": "nonpayable"'), 20 + 1 + 1, "the constructor and renounceRole"
        );
    }

    function occurrences(string memory text, string memory part) private pure returns (uint256) {
        return vm.split(text, part).length - 1;
    }
}
