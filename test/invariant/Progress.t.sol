// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {IMedShare} from "../../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../../contracts/interfaces/IMedShareErrors.sol";
import {Campaign} from "./Campaign.sol";

/// @notice The campaign is worth something only where things happen. Its handlers, with fixed seeds: every effect is
/// reached, every error is met, and the calls that matter mostly succeed. `-vv` shows the numbers.
contract ProgressTest is Campaign {
    uint256 private constant RUNS = 32;
    uint256 private constant DEPTH = 128;

    mapping(bytes32 what => uint256) private reached;

    function test_handlersReachWhatTheyAreFor() public {
        _play(_names());
        for (uint256 i = 0; i < _names().length; i++) {
            assertGt(reached[_names()[i]], 0, _textOf(_names()[i]));
        }
        uint256 issued = reached["issued"] + reached["issued to the wallet"];
        assertGt(issued, reached["item skipped"], "most items are issued");
        assertGt(reached["anchored"], reached["segment skipped"], "most segments are anchored");
        _assertShare("revoked", IMedShare.revoke.selector, 50);
        _assertShare("retrieved", IMedShare.retrieve.selector, 40);
        _assertShare("node registered", IMedShare.registerNode.selector, 50);
        _assertShare("dataset published", IMedShare.publishDataset.selector, 50);
        _assertShare("requestor registered", IMedShare.registerRequestor.selector, 30);
        // Half of these are forged, too old or none, or find no package in the right state.
        _assertShare("re-granted", IMedShare.regrant.selector, 25);
        _assertShare("violation", IMedShare.reportViolation.selector, 25);
        _assertShare("tampering", IMedShare.reportTampering.selector, 25);
    }

    /// @dev Each run from the same start, as in the campaign.
    function _play(bytes32[] memory names) private {
        uint256[] memory counts = new uint256[](names.length);
        bytes4[] memory handlers = _handlers();
        uint256 start = vm.snapshotState();
        for (uint256 run = 0; run < RUNS; run++) {
            for (uint256 step = 0; step < DEPTH; step++) {
                uint256 seed = uint256(keccak256(abi.encode(run, step)));
                _call(handlers[seed % handlers.length], seed);
            }
            for (uint256 i = 0; i < names.length; i++) {
                counts[i] += tally[names[i]];
            }
            vm.revertToState(start);
        }
        for (uint256 i = 0; i < names.length; i++) {
            counts[i] -= RUNS * tally[names[i]]; // from setting up
            reached[names[i]] = counts[i];
            emit log_named_uint(_textOf(names[i]), counts[i]);
        }
    }

    function _call(bytes4 handler, uint256 seed) private {
        vm.resetGasMetering();
        (bool done, bytes memory reason) = address(this).call(abi.encodeWithSelector(handler, seed));
        if (!done) LowLevelCall.bubbleRevert(reason);
    }

    function _assertShare(bytes32 effect, bytes4 call, uint256 percent) private view {
        assertGe(reached[effect] * 100, reached[call] * percent, _textOf(effect));
    }

    // ---------------------------------------------------------------- names

    function _names() private pure returns (bytes32[] memory names) {
        bytes32[35] memory effects = _effects();
        bytes4[38] memory errors = _errors();
        bytes4[8] memory calls = _calls();
        names = new bytes32[](effects.length + errors.length + calls.length);
        uint256 at = 0;
        for (uint256 i = 0; i < effects.length; i++) {
            names[at++] = effects[i];
        }
        for (uint256 i = 0; i < errors.length; i++) {
            names[at++] = errors[i];
        }
        for (uint256 i = 0; i < calls.length; i++) {
            names[at++] = calls[i];
        }
    }

    /// @dev An effect's name, or a selector in hexadecimal.
    function _textOf(bytes32 name) private pure returns (string memory) {
        if (uint256(name) << 32 == 0) return vm.toString(abi.encodePacked(bytes4(name)));
        uint256 length = 0;
        while (length < 32 && name[length] != 0) length++;
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            text[i] = name[i];
        }
        return string(text);
    }

    function _effects() private pure returns (bytes32[35] memory) {
        return [
            bytes32("admitted"),
            "removed",
            "role given",
            "role taken",
            "work limit set",
            "node registered",
            "node removed",
            "requestor registered",
            "suspended",
            "reinstated",
            "dataset published",
            "dataset withdrawn",
            "allowed to ask again",
            "issued",
            "issued to the wallet",
            "issued by a lone custodian",
            "delegated",
            "issued though delegating",
            "issued as code agrees",
            "leaf of zero",
            "skipped as code burns",
            "item skipped",
            "anchored",
            "segment skipped",
            "violation",
            "tampering",
            "revoked the dataset",
            "revoked the owner's",
            "refused further requests",
            "lost with another",
            "revoked",
            "re-granted",
            "retrieved",
            "expired",
            "refused a stranger"
        ];
    }

    /// @dev All but those of views, and `GasTooLow`: handlers give enough.
    function _errors() private pure returns (bytes4[38] memory) {
        return [
            IMedShareErrors.NotCustodian.selector,
            IMedShareErrors.NotNode.selector,
            IMedShareErrors.NotOwner.selector,
            IMedShareErrors.NotPermitted.selector,
            IMedShareErrors.AlreadyAdmitted.selector,
            IMedShareErrors.NotAdmitted.selector,
            IMedShareErrors.NodeTaken.selector,
            IMedShareErrors.UnknownNode.selector,
            IMedShareErrors.ZeroValue.selector,
            IMedShareErrors.TooLong.selector,
            IMedShareErrors.BadWorkLimit.selector,
            IMedShareErrors.BadSignature.selector,
            IMedShareErrors.BadNonce.selector,
            IMedShareErrors.DeadlinePassed.selector,
            IMedShareErrors.UnknownRequestor.selector,
            IMedShareErrors.Suspended.selector,
            IMedShareErrors.NotSuspended.selector,
            IMedShareErrors.Refused.selector,
            IMedShareErrors.UnknownDataset.selector,
            IMedShareErrors.PurposeNotAllowed.selector,
            IMedShareErrors.PurposeTwice.selector,
            IMedShareErrors.AlreadyIssued.selector,
            IMedShareErrors.UnknownPackage.selector,
            IMedShareErrors.BadUsage.selector,
            IMedShareErrors.VerifierIsSender.selector,
            IMedShareErrors.VerifierOfSameCustodian.selector,
            IMedShareErrors.StaleHead.selector,
            IMedShareErrors.BadEntryLength.selector,
            IMedShareErrors.BadCount.selector,
            IMedShareErrors.WorkTooLow.selector,
            IMedShareErrors.BlockFromTheFuture.selector,
            IMedShareErrors.ReservedReason.selector,
            IMedShareErrors.WrongState.selector,
            IMedShareErrors.NoViolation.selector,
            IMedShareErrors.AlreadySettled.selector,
            IMedShareErrors.SessionMismatch.selector,
            IMedShareErrors.NotTampering.selector,
            IMedShareErrors.BadResponse.selector
        ];
    }

    function _calls() private pure returns (bytes4[8] memory) {
        return [
            IMedShare.registerNode.selector,
            IMedShare.registerRequestor.selector,
            IMedShare.publishDataset.selector,
            IMedShare.reportViolation.selector,
            IMedShare.reportTampering.selector,
            IMedShare.revoke.selector,
            IMedShare.regrant.selector,
            IMedShare.retrieve.selector
        ];
    }
}
