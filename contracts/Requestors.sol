// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "./interfaces/IMedShare.sol";
import {Class, Registration, RequestorView} from "./interfaces/Types.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Participants} from "./Participants.sol";
import {Typed} from "./Typed.sol";

/// @title Requestors, vouched for by custodians, and suspensions (P1)
abstract contract Requestors is Typed, Participants {
    struct Requestor {
        address custodian;
        Class class;
        bytes32 sealingKey;
        bytes32 credential;
        uint256 nonce;
    }

    /// @dev Stands for governance, whoever holds the role then, among those who suspend.
    address private constant GOVERNANCE = address(1);

    mapping(address requestor => Requestor) private _requestors;
    /// @dev Who suspended it; zero: not suspended.
    mapping(bytes32 credential => address) private _suspendedBy;

    /// @inheritdoc IMedShare
    function registerRequestor(Registration calldata registration, bytes calldata signature) external {
        address custodian = _requireNode();
        address requestor = registration.requestor;
        if (requestor == address(0)) revert ZeroValue("requestor");
        if (registration.sealingKey == 0) revert ZeroValue("sealingKey");
        if (registration.credential == 0) revert ZeroValue("credential");
        if (_isPast(registration.deadline)) revert DeadlinePassed(registration.deadline, _nowMs());
        Requestor storage entry = _requestors[requestor];
        if (registration.nonce != entry.nonce) revert BadNonce(entry.nonce, registration.nonce);
        // The old credential too: a suspension is not shaken off by taking a new one.
        _requireNotSuspended(entry.credential);
        _requireNotSuspended(registration.credential);
        Signatures.requireWallets(requestor, _registrationDigest(registration), signature);

        entry.custodian = custodian;
        entry.class = registration.class;
        entry.sealingKey = registration.sealingKey;
        entry.credential = registration.credential;
        entry.nonce = registration.nonce + 1;
        emit RequestorRegistered(
            requestor,
            custodian,
            registration.credential,
            msg.sender,
            registration.sealingKey,
            registration.class,
            registration.nonce
        );
    }

    /// @inheritdoc IMedShare
    function suspend(address requestor) external {
        bytes32 credential = _credentialOf(requestor);
        address by = _suspender(requestor);
        // Governance takes over what a custodian has suspended, which that custodian could lift again.
        bool takesOver = by == GOVERNANCE && _suspendedBy[credential] != GOVERNANCE;
        if (!takesOver) _requireNotSuspended(credential);
        _suspendedBy[credential] = by;
        emit CredentialSuspended(credential, msg.sender);
    }

    /// @inheritdoc IMedShare
    function reinstate(address requestor) external {
        bytes32 credential = _credentialOf(requestor);
        address by = _suspender(requestor);
        address suspendedBy = _suspendedBy[credential];
        if (suspendedBy == address(0)) revert NotSuspended(credential);
        // Otherwise a custodian could undo what governance, or another custodian that knows this holder, found.
        if (by != GOVERNANCE && by != suspendedBy) revert NotPermitted(msg.sender);
        delete _suspendedBy[credential];
        emit CredentialReinstated(credential, msg.sender);
    }

    /// @inheritdoc IMedShare
    function requestorOf(address requestor) external view returns (RequestorView memory) {
        Requestor storage entry = _requestors[requestor];
        return RequestorView({
            custodian: entry.custodian,
            sealingKey: entry.sealingKey,
            class: entry.class,
            credential: entry.credential,
            suspended: _suspendedBy[entry.credential] != address(0),
            nonce: entry.nonce
        });
    }

    /// @return fault Why the requestor may not ask now, ABI-encoded; empty: it may.
    function _checkStanding(address requestor) internal view returns (bytes memory fault) {
        bytes32 credential = _requestors[requestor].credential;
        if (credential == 0) return abi.encodeWithSelector(UnknownRequestor.selector, requestor);
        if (_suspendedBy[credential] != address(0)) return abi.encodeWithSelector(Suspended.selector, credential);
    }

    function _requireNotSuspended(bytes32 credential) private view {
        if (_suspendedBy[credential] != address(0)) revert Suspended(credential);
    }

    function _credentialOf(address requestor) private view returns (bytes32 credential) {
        credential = _requestors[requestor].credential;
        if (credential == 0) revert UnknownRequestor(requestor); // every registered one has one
    }

    /// @dev In what capacity the caller may suspend this requestor's credential.
    function _suspender(address requestor) private view returns (address) {
        if (hasRole(DEFAULT_ADMIN_ROLE, msg.sender)) return GOVERNANCE;
        if (_requestors[requestor].custodian != msg.sender || !isCustodian(msg.sender)) {
            revert NotPermitted(msg.sender);
        }
        return msg.sender;
    }
}
