// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ActionKind, DatasetId, PackageId, State, Usage} from "./Types.sol";

/// @title Why the contract refuses. Each error carries the values that explain it.
interface IMedShareErrors {
    /// @notice The caller is no admitted custodian.
    error NotCustodian(address caller);
    /// @notice The caller is no registered node of an admitted custodian.
    error NotNode(address caller);
    /// @notice The caller is neither the package's custodian nor a node of it, as this call asks for.
    error NotOwner(PackageId package, address caller);
    /// @notice The caller may not do this: `suspend` and `reinstate`.
    error NotPermitted(address caller);
    /// @notice The custodian is admitted already.
    error AlreadyAdmitted(address custodian);
    /// @notice The custodian is not admitted.
    error NotAdmitted(address custodian);
    /// @notice The node belongs to another admitted custodian.
    error NodeTaken(address node);
    /// @notice No registered node, or none of the caller's.
    error UnknownNode(address node);
    /// @notice This value must not be zero.
    /// @param field Its name, ASCII, zero-padded on the right.
    error ZeroValue(bytes32 field);
    /// @notice A list or a text is longer than its named limit.
    error TooLong(uint256 length, uint256 limit);
    /// @notice Not the compact form of a target.
    error BadWorkLimit(uint32 bits);
    /// @notice Not `signer`'s signature over this message.
    error BadSignature(address signer);
    /// @notice The registration was signed for another nonce.
    error BadNonce(uint256 expected, uint256 given);
    /// @notice The signed message may not be used any more.
    error DeadlinePassed(uint64 deadline, uint256 nowMs);
    /// @notice No registered requestor.
    error UnknownRequestor(address requestor);
    /// @notice The credential is suspended.
    error Suspended(bytes32 credential);
    /// @notice The credential is not suspended.
    error NotSuspended(bytes32 credential);
    /// @notice The custodian takes no new requests of this requestor.
    error Refused(address custodian, address requestor);
    /// @notice The custodian offers no such dataset.
    error UnknownDataset(address custodian, DatasetId dataset);
    /// @notice The dataset may not be asked for with this purpose.
    error PurposeNotAllowed(bytes32 purpose);
    /// @notice A list of purposes names this one twice.
    error PurposeTwice(bytes32 purpose);
    /// @notice The request has its package already.
    error AlreadyIssued(PackageId package);
    /// @notice There is no such package.
    error UnknownPackage(PackageId package);
    /// @notice A bit, environment, key or expiry of the usage contract is out of range.
    error BadUsage(Usage usage);
    /// @notice The second node must be another.
    error VerifierIsSender(address verifier);
    /// @notice The second node must be another custodian's as soon as there is one.
    error VerifierOfSameCustodian(address verifier);
    /// @notice The block was mined on another head than the one held here.
    error StaleHead(bytes32 expected, bytes32 actual);
    /// @notice Not one or more whole entries of 80 bytes, or not as many as the segments count.
    error BadEntryLength(uint256 length);
    /// @notice A segment has no entries, or too many.
    error BadCount(uint256 count, uint256 limit);
    /// @notice The hash does not reach the claimed target, or the target is easier than the limit.
    error WorkTooLow(bytes32 hash, uint32 bits);
    /// @notice The block's time is more than 120 s ahead of the chain's.
    error BlockFromTheFuture(uint32 time, uint256 now_);
    /// @notice The reason codes 0 and 1 are the contract's own.
    error ReservedReason(uint8 reason);
    /// @notice The package's state does not allow this.
    error WrongState(PackageId package, State state);
    /// @notice The usage contract has nothing against these actions.
    error NoViolation(uint8 actions);
    /// @notice The report is not newer than the last one settled.
    error AlreadySettled(uint32 number, uint32 settled);
    /// @notice The session is of another package, here named, or ended before the report.
    error SessionMismatch(PackageId package, uint64 expiry);
    /// @notice The second report, of this package and number, does not contradict the first.
    error NotTampering(PackageId package, uint32 number);
    /// @notice Actions are numbered 0 to 7.
    error UnknownAction(uint8 action);
    /// @notice A response action twice, with threshold zero, or a late `RevokePackage`.
    error BadResponse(ActionKind kind, uint32 threshold);
    /// @notice The header has not 80 bytes, the index is none of the log, or the proof is longer than any.
    error BadProof(uint256 headerLength, uint64 size, uint64 index, uint256 proofLength);
    /// @notice The package has no report yet, and so no log.
    error NoReport(PackageId package);
    /// @notice The transaction carries too little gas to ask a wallet with code; nothing was done.
    error GasTooLow(uint256 needed);
}
