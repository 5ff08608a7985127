// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "./interfaces/IMedShare.sol";
import {Participants} from "./Participants.sol";

/// @title What requestors have done, and what owners have decided because of it (P7, P19)
/// @notice A response action against all packages of a dataset, or of an owner, raises an epoch: packages of an older
/// one are revoked. So no call loops over packages, and nobody's packages make a call dearer.
abstract contract Conduct is Participants {
    /// @dev What a requestor has done to one dataset.
    struct Record {
        uint32 violations;
        uint24 epoch;
    }

    /// @dev How one owner stands to one requestor.
    struct Relation {
        uint24 epoch;
        bool refused; // no new requests
    }

    mapping(address requestor => mapping(uint32 dataset => Record)) private _records;
    mapping(address requestor => mapping(address custodian => Relation)) private _relations;

    /// @inheritdoc IMedShare
    function allowRequests(address requestor) external onlyCustodian {
        _relation(requestor, msg.sender).refused = false;
        emit RequestsAllowed(msg.sender, requestor);
    }

    /// @inheritdoc IMedShare
    function isRefused(address custodian, address requestor) public view returns (bool) {
        return _relation(requestor, custodian).refused;
    }

    function _record(address requestor, uint32 dataset) internal view returns (Record storage) {
        return _records[requestor][dataset];
    }

    function _relation(address requestor, address custodian) internal view returns (Relation storage) {
        return _relations[requestor][custodian];
    }
}
