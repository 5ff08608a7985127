// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare, ActionKind, Response} from "./interfaces/IMedShare.sol";
import {Participants} from "./Participants.sol";

/// @title Published datasets, and whom an owner refuses (P7)
abstract contract Datasets is Participants {
    struct Dataset {
        bytes32 descriptor;
        bytes32[] purposes;
        Response[] responses;
    }

    uint256 private constant MAX_PURPOSES = 64;
    uint256 private constant MAX_RESPONSES = 4; // one a kind

    mapping(address custodian => mapping(bytes32 dataset => Dataset)) private _datasets;
    mapping(address custodian => mapping(address requestor => bool)) private _refused;

    /// @inheritdoc IMedShare
    function publishDataset(
        bytes32 dataset,
        bytes32 descriptor,
        bytes32[] calldata purposes,
        Response[] calldata responses
    ) external onlyCustodian {
        if (dataset == 0 || descriptor == 0) revert ZeroValue();
        if (purposes.length > MAX_PURPOSES) revert TooLong(purposes.length, MAX_PURPOSES);
        for (uint256 i = 0; i < purposes.length; i++) {
            if (purposes[i] == 0) revert ZeroValue();
        }
        _requireSound(responses);
        Dataset storage entry = _datasets[msg.sender][dataset];
        entry.descriptor = descriptor;
        entry.purposes = purposes;
        delete entry.responses;
        for (uint256 i = 0; i < responses.length; i++) {
            entry.responses.push(responses[i]);
        }
        emit DatasetPublished(msg.sender, dataset, descriptor, purposes, responses);
    }

    /// @inheritdoc IMedShare
    function withdrawDataset(bytes32 dataset) external onlyCustodian {
        Dataset storage entry = _datasets[msg.sender][dataset];
        if (entry.descriptor == 0) revert UnknownDataset(msg.sender, dataset);
        // The responses stay: packages that are out go on, and so does what follows a violation.
        entry.descriptor = 0;
        emit DatasetWithdrawn(msg.sender, dataset);
    }

    /// @inheritdoc IMedShare
    function allowRequests(address requestor) external onlyCustodian {
        _refused[msg.sender][requestor] = false;
        emit RequestsAllowed(msg.sender, requestor);
    }

    /// @inheritdoc IMedShare
    function datasetOf(address custodian, bytes32 dataset)
        external
        view
        returns (bytes32 descriptor, bytes32[] memory purposes, Response[] memory responses)
    {
        Dataset storage entry = _datasets[custodian][dataset];
        return (entry.descriptor, entry.purposes, entry.responses);
    }

    /// @inheritdoc IMedShare
    function isRefused(address custodian, address requestor) public view returns (bool) {
        return _refused[custodian][requestor];
    }

    function _refuse(address custodian, address requestor) internal {
        _refused[custodian][requestor] = true;
    }

    /// @dev Reverts unless the dataset is published and may be asked for with this purpose.
    function _requireOffered(address custodian, bytes32 dataset, bytes32 purpose) internal view {
        Dataset storage entry = _datasets[custodian][dataset];
        if (entry.descriptor == 0) revert UnknownDataset(custodian, dataset);
        uint256 count = entry.purposes.length;
        if (count == 0) return; // no list: any purpose
        for (uint256 i = 0; i < count; i++) {
            if (entry.purposes[i] == purpose) return;
        }
        revert PurposeNotAllowed(purpose);
    }

    function _responsesOf(address custodian, bytes32 dataset) internal view returns (Response[] storage) {
        return _datasets[custodian][dataset].responses;
    }

    /// @dev Each kind once, from the first violation on at the earliest. `RevokePackage` always happens, so a list
    /// that names it for a later violation would promise what is not done.
    function _requireSound(Response[] calldata responses) private pure {
        if (responses.length > MAX_RESPONSES) revert TooLong(responses.length, MAX_RESPONSES);
        uint256 seen = 0;
        for (uint256 i = 0; i < responses.length; i++) {
            (ActionKind kind, uint32 threshold) = (responses[i].kind, responses[i].threshold);
            uint256 bit = 1 << uint8(kind);
            bool late = kind == ActionKind.RevokePackage && threshold != 1;
            if (threshold == 0 || late || seen & bit != 0) revert BadResponse(kind, threshold);
            seen |= bit;
        }
    }
}
