// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {IMedShare} from "./interfaces/IMedShare.sol";
import {ActionKind, DatasetId, Response} from "./interfaces/Types.sol";
import {Participants} from "./Participants.sol";

/// @title Published datasets: what may be asked for, and what follows a violation (P7)
/// @notice A dataset is numbered when it is first published; packages hold the number, which leads to its owner too.
abstract contract Datasets is Participants {
    using EnumerableSet for EnumerableSet.Bytes32Set;

    struct Dataset {
        address custodian;
        // From which violation on each response action is taken; zero: never. They share the owner's slot, which
        // whatever settles a violation reads anyway.
        uint32 revokeDatasetFrom;
        uint32 revokeOwnerFrom;
        uint32 refuseRequestsFrom;
        DatasetId id;
        bytes32 descriptor; // zero: withdrawn
        EnumerableSet.Bytes32Set purposes; // a set: a long list makes no request dearer
    }

    uint256 private constant MAX_PURPOSES = 64;
    uint256 private constant MAX_RESPONSES = 4; // one a kind

    uint32 private _datasetCount;
    mapping(address custodian => mapping(DatasetId id => uint32)) private _numbers; // from 1
    mapping(uint32 number => Dataset) private _datasets;

    /// @inheritdoc IMedShare
    function publishDataset(
        DatasetId dataset,
        bytes32 descriptor,
        bytes32[] calldata purposes,
        Response[] calldata responses
    ) external onlyCustodian {
        if (DatasetId.unwrap(dataset) == 0) revert ZeroValue("dataset");
        if (descriptor == 0) revert ZeroValue("descriptor");
        Dataset storage entry = _entryFor(msg.sender, dataset);
        entry.descriptor = descriptor;
        _setPurposes(entry.purposes, purposes);
        _setResponses(entry, responses);
        emit DatasetPublished(msg.sender, dataset, descriptor, purposes, responses);
    }

    /// @inheritdoc IMedShare
    function withdrawDataset(DatasetId dataset) external onlyCustodian {
        Dataset storage entry = _datasets[_numbers[msg.sender][dataset]];
        if (entry.descriptor == 0) revert UnknownDataset(msg.sender, dataset);
        // The responses stay: packages that are out go on, and so does what follows a violation.
        entry.descriptor = 0;
        emit DatasetWithdrawn(msg.sender, dataset);
    }

    /// @inheritdoc IMedShare
    function datasetOf(address custodian, DatasetId dataset)
        external
        view
        returns (bytes32 descriptor, bytes32[] memory purposes, Response[] memory responses)
    {
        Dataset storage entry = _datasets[_numbers[custodian][dataset]];
        return (entry.descriptor, entry.purposes.values(), _responsesOf(entry));
    }

    /// @return fault Why the dataset may not be asked for with this purpose, ABI-encoded; empty: it may.
    /// @return number Of the dataset.
    function _checkOffer(address custodian, DatasetId dataset, bytes32 purpose)
        internal
        view
        returns (bytes memory fault, uint32 number)
    {
        number = _numbers[custodian][dataset];
        Dataset storage entry = _datasets[number];
        if (entry.descriptor == 0) {
            fault = abi.encodeWithSelector(UnknownDataset.selector, custodian, dataset);
        } else if (!entry.purposes.contains(purpose) && entry.purposes.length() != 0) {
            // no list: any purpose
            fault = abi.encodeWithSelector(PurposeNotAllowed.selector, purpose);
        }
    }

    /// @dev A dataset that was published once, also when it is withdrawn.
    function _dataset(uint32 number) internal view returns (Dataset storage) {
        return _datasets[number];
    }

    function _entryFor(address custodian, DatasetId id) private returns (Dataset storage entry) {
        uint32 number = _numbers[custodian][id];
        if (number != 0) return _datasets[number];
        number = ++_datasetCount;
        _numbers[custodian][id] = number;
        entry = _datasets[number];
        (entry.custodian, entry.id) = (custodian, id);
    }

    function _setPurposes(EnumerableSet.Bytes32Set storage held, bytes32[] calldata purposes) private {
        if (purposes.length > MAX_PURPOSES) revert TooLong(purposes.length, MAX_PURPOSES);
        held.clear();
        for (uint256 i = 0; i < purposes.length; i++) {
            if (purposes[i] == 0) revert ZeroValue("purpose");
            if (!held.add(purposes[i])) revert PurposeTwice(purposes[i]);
        }
    }

    /// @dev Each kind once, from the first violation on at the earliest. `RevokePackage` always happens, so a list
    /// that names it for a later violation would promise what is not done.
    function _setResponses(Dataset storage entry, Response[] calldata responses) private {
        if (responses.length > MAX_RESPONSES) revert TooLong(responses.length, MAX_RESPONSES);
        uint32[MAX_RESPONSES] memory from = [uint32(0), 0, 0, 0]; // by kind
        for (uint256 i = 0; i < responses.length; i++) {
            (ActionKind kind, uint32 threshold) = (responses[i].kind, responses[i].threshold);
            bool late = kind == ActionKind.RevokePackage && threshold != 1;
            if (threshold == 0 || late || from[uint8(kind)] != 0) revert BadResponse(kind, threshold);
            from[uint8(kind)] = threshold;
        }
        entry.revokeDatasetFrom = from[uint8(ActionKind.RevokeDataset)];
        entry.revokeOwnerFrom = from[uint8(ActionKind.RevokeOwner)];
        entry.refuseRequestsFrom = from[uint8(ActionKind.RefuseRequests)];
    }

    function _responsesOf(Dataset storage entry) private view returns (Response[] memory responses) {
        uint32[MAX_RESPONSES] memory from =
            [0, entry.revokeDatasetFrom, entry.revokeOwnerFrom, entry.refuseRequestsFrom];
        uint256 count = 0;
        for (uint256 kind = 0; kind < MAX_RESPONSES; kind++) {
            if (from[kind] != 0) count++;
        }
        responses = new Response[](count);
        for (uint256 kind = MAX_RESPONSES; count > 0; kind--) {
            if (from[kind - 1] != 0) responses[--count] = Response(ActionKind(kind - 1), from[kind - 1]);
        }
    }
}
