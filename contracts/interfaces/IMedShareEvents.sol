// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, ActionKind, Class, PackageId, Response, Usage} from "./Types.sol";

/// @title What the contract tells. Together with OpenZeppelin's role events the whole state can be rebuilt from these:
/// test/invariant/ does so after every call.
interface IMedShareEvents {
    event CustodianAdmitted(address indexed custodian);
    event CustodianRemoved(address indexed custodian);
    /// @param bits Compact form (as in Bitcoin's header) of the easiest target a header may claim.
    event WorkLimitSet(uint32 bits);
    event NodeRegistered(address indexed custodian, address indexed node, bytes32 sealingKey, string endpoint);
    event NodeRemoved(address indexed custodian, address indexed node);
    event RequestorRegistered(
        address indexed requestor,
        address indexed custodian,
        bytes32 indexed credential,
        address node,
        bytes32 sealingKey,
        Class class,
        uint256 nonce
    );
    event CredentialSuspended(bytes32 indexed credential, address indexed by);
    event CredentialReinstated(bytes32 indexed credential, address indexed by);
    event DatasetPublished(
        address indexed custodian, bytes32 indexed dataset, bytes32 descriptor, bytes32[] purposes, Response[] responses
    );
    event DatasetWithdrawn(address indexed custodian, bytes32 indexed dataset);
    event PackageIssued(
        PackageId indexed package,
        address indexed requestor,
        address indexed custodian,
        AccessRequest request,
        Usage usage,
        bytes32 payloadHash,
        bytes32 formDigest,
        address node,
        address verifier,
        bytes entry
    );
    /// @param reason ABI-encoded custom error, as a single call would have reverted with.
    event ItemSkipped(PackageId indexed package, address indexed node, bytes reason);
    event ReportsAnchored(PackageId indexed package, address node, bytes entries);
    event SegmentSkipped(PackageId indexed package, address indexed node, bytes reason);
    /// @param report EIP-712 digest of the report.
    event ViolationAccepted(PackageId indexed package, uint32 number, uint8 actions, bytes32 report);
    /// @param reason Reason code: 0 violation, 1 tampering, 2 the owner's own, 3 silent lease, 4 leak; others are the
    /// owner's to define.
    event PackageRevoked(PackageId indexed package, address indexed by, uint8 reason);
    event PackageRegranted(PackageId indexed package, address indexed by);
    /// @param deletion EIP-712 digest of the requestor's signed `Deletion(bytes32 package,uint64 time)`.
    event PackageRetrieved(PackageId indexed package, address indexed by, uint64 time, bytes32 deletion);
    /// @notice Receipt of a response action that was carried out (P7).
    /// @param violation How many violations this requestor has had on this dataset, this one included.
    event ResponseTaken(
        PackageId indexed package,
        address indexed requestor,
        address indexed custodian,
        ActionKind kind,
        uint32 violation
    );
    /// @notice The owner lets a requestor ask again that a response action had refused.
    event RequestsAllowed(address indexed custodian, address indexed requestor);
}
