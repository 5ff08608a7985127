// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "./interfaces/IMedShare.sol";
import {ActionKind, PackageId, Report, Session, State} from "./interfaces/Types.sol";
import {Judge} from "./libraries/Judge.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Packages} from "./Packages.sol";
import {Typed} from "./Typed.sol";

/// @title Violations, revocation and what follows (P7, P19)
abstract contract Violations is Typed, Packages {
    /// @dev Reason codes of `PackageRevoked` that this contract gives by itself.
    uint8 private constant REASON_VIOLATION = 0;
    uint8 private constant REASON_TAMPERING = 1;

    /// @inheritdoc IMedShare
    function reportViolation(
        Report calldata report,
        bytes calldata signature,
        Session calldata session,
        bytes calldata sessionSignature
    ) external {
        Package storage package = _requireSettleable(report);
        uint8 found = Judge.violations(package.sensitivity, package.granted, package.exempt, report.actions);
        if (found == 0) revert NoViolation(report.actions);
        address signer = _signerOf(package, report.package, session, sessionSignature);
        bytes32 digest = _requireSigned(signer, report, signature, session);
        _settle(report, package, report.actions, digest, REASON_VIOLATION);
    }

    /// @inheritdoc IMedShare
    function reportTampering(
        Report calldata first,
        bytes calldata firstSignature,
        Report calldata second,
        bytes calldata secondSignature,
        Session calldata session,
        bytes calldata sessionSignature
    ) external {
        Package storage package = _requireSettleable(first);
        bool samePlace =
            PackageId.unwrap(first.package) == PackageId.unwrap(second.package) && first.number == second.number;
        if (!samePlace) revert NotTampering(second.package, second.number);
        address signer = _signerOf(package, first.package, session, sessionSignature);
        bytes32 digest = _requireSigned(signer, first, firstSignature, session);
        if (digest == _requireSigned(signer, second, secondSignature, session)) {
            revert NotTampering(second.package, second.number);
        }
        _settle(first, package, uint8(1 << Judge.TAMPERING), digest, REASON_TAMPERING);
    }

    /// @inheritdoc IMedShare
    function revoke(PackageId id, uint8 reason) external {
        if (reason <= REASON_TAMPERING) revert ReservedReason(reason);
        Package storage package = _known(id);
        _requireOwner(id, package);
        _requireLive(id, package);
        package.standing = Standing.Revoked;
        emit PackageRevoked(id, msg.sender, reason);
    }

    /// @inheritdoc IMedShare
    function regrant(PackageId id) external {
        Package storage package = _known(id);
        if (msg.sender != _ownerOf(package)) revert NotOwner(id, msg.sender);
        // A custodian that was removed may still take access away, but not give it.
        if (!isCustodian(msg.sender)) revert NotCustodian(msg.sender);
        State state = _stateOf(id, package);
        if (state != State.Revoked) revert WrongState(id, state);
        _regrant(package);
        emit PackageRegranted(id, msg.sender);
    }

    /// @inheritdoc IMedShare
    function retrieve(PackageId id, uint64 time, bytes calldata signature) external {
        Package storage package = _known(id);
        _requireOwner(id, package);
        State state = _stateOf(id, package);
        if (state == State.Retrieved || state == State.Expired) revert WrongState(id, state);
        bytes32 deletion = _deletionDigest(id, time);
        Signatures.requireWallets(package.requestor, deletion, signature);
        package.standing = Standing.Retrieved;
        emit PackageRetrieved(id, msg.sender, time, deletion);
    }

    /// @dev The report's package, if the caller may settle this report now. Numbers only rise: an old report does not
    /// revoke again after a re-grant.
    function _requireSettleable(Report calldata report) private view returns (Package storage package) {
        address custodian = _requireNode();
        package = _known(report.package);
        if (custodian != _ownerOf(package)) revert NotOwner(report.package, msg.sender);
        _requireLive(report.package, package);
        if (report.number <= package.settled) revert AlreadySettled(report.number, package.settled);
    }

    /// @dev Whose signature counts: the session key, if the requestor's wallet delegated to it, else the wallet.
    function _signerOf(Package storage package, PackageId id, Session calldata session, bytes calldata signature)
        private
        view
        returns (address)
    {
        if (session.key == address(0)) return package.requestor;
        if (PackageId.unwrap(session.package) != PackageId.unwrap(id)) {
            revert SessionMismatch(session.package, session.expiry);
        }
        Signatures.requireWallets(package.requestor, _sessionDigest(session), signature);
        return session.key;
    }

    /// @dev The session must cover the report's own time, not the time of settling: late evidence is evidence.
    function _requireSigned(address signer, Report calldata report, bytes calldata signature, Session calldata session)
        private
        view
        returns (bytes32 digest)
    {
        digest = _reportDigest(report);
        if (session.key == address(0)) {
            Signatures.requireWallets(signer, digest, signature);
        } else {
            if (report.time >= session.expiry) revert SessionMismatch(session.package, session.expiry);
            Signatures.requireKeys(signer, digest, signature);
        }
    }

    function _settle(Report calldata report, Package storage package, uint8 actions, bytes32 digest, uint8 reason)
        private
    {
        package.settled = report.number;
        package.standing = Standing.Revoked;
        emit ViolationAccepted(report.package, report.number, actions, digest);
        emit PackageRevoked(report.package, msg.sender, reason);
        _respond(report.package, package.requestor, package.dataset);
    }

    /// @dev Counts a violation, carries out what the owner chose to be done then, and leaves a receipt of each (P7).
    function _respond(PackageId id, address requestor, uint32 number) private {
        Dataset storage dataset = _dataset(number);
        Record storage record = _record(requestor, number);
        address custodian = dataset.custodian;
        uint32 violation = ++record.violations;
        emit ResponseTaken(id, requestor, custodian, ActionKind.RevokePackage, violation);
        if (_isDue(dataset.revokeDatasetFrom, violation)) {
            record.epoch += 1;
            emit ResponseTaken(id, requestor, custodian, ActionKind.RevokeDataset, violation);
        }
        if (_isDue(dataset.revokeOwnerFrom, violation)) {
            _relation(requestor, custodian).epoch += 1;
            emit ResponseTaken(id, requestor, custodian, ActionKind.RevokeOwner, violation);
        }
        if (_isDue(dataset.refuseRequestsFrom, violation)) {
            _relation(requestor, custodian).refused = true;
            emit ResponseTaken(id, requestor, custodian, ActionKind.RefuseRequests, violation);
        }
    }

    function _isDue(uint32 from, uint32 violation) private pure returns (bool) {
        return from != 0 && violation >= from;
    }
}
