// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, ActionKind, Class, DatasetId, PackageId, Response, Usage} from "./Types.sol";

/// @title What the contract tells. Together with OpenZeppelin's role events the whole state can be rebuilt from these:
/// test/invariant/ does so after every call.
interface IMedShareEvents {
    /// @notice Governance has admitted a custodian (P5).
    event CustodianAdmitted(address indexed custodian);
    /// @notice Governance has removed a custodian; a `NodeRemoved` for each of its nodes came before.
    event CustodianRemoved(address indexed custodian);
    /// @notice Blocks are asked for more or less work from now on (P22).
    /// @param bits Compact form (as in Bitcoin's header) of the easiest target a header may claim.
    event WorkLimitSet(uint32 bits);
    /// @notice A custodian has registered a node, or changed its key and endpoint (P5).
    event NodeRegistered(address indexed custodian, address indexed node, bytes32 sealingKey, string endpoint);
    /// @notice A node can do nothing any more.
    event NodeRemoved(address indexed custodian, address indexed node);
    /// @notice A requestor was vouched for, or has changed its keys (P1, P10).
    /// @param node The custodian's node that has sent it.
    /// @param nonce The one that was signed for; `requestorOf` tells the next.
    event RequestorRegistered(
        address indexed requestor,
        address indexed custodian,
        bytes32 indexed credential,
        address node,
        bytes32 sealingKey,
        Class class,
        uint256 nonce
    );
    /// @notice Whoever holds this credential may not ask, under whatever wallet (P1).
    event CredentialSuspended(bytes32 indexed credential, address indexed by);
    /// @notice The suspension was taken back (P1).
    event CredentialReinstated(bytes32 indexed credential, address indexed by);
    /// @notice A dataset, or a new version of it, may be asked for (P7).
    event DatasetPublished(
        address indexed custodian,
        DatasetId indexed dataset,
        bytes32 descriptor,
        bytes32[] purposes,
        Response[] responses
    );
    /// @notice A dataset may not be asked for any more.
    event DatasetWithdrawn(address indexed custodian, DatasetId indexed dataset);
    /// @notice A request was granted: the permission, the second node's word, and the parent block (P13, P14, P20).
    /// @param payloadHash sha256d(salt ‖ plaintext) of what was sealed.
    /// @param formDigest Digest of the form as the second node saw it.
    /// @param node The owner's, which has sent it.
    /// @param verifier The second node (P13).
    /// @param entry The parent block's 80 bytes, as in `Item.entry`.
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
    /// @notice An item of `issue` was not good and has changed nothing.
    /// @param reason ABI-encoded custom error, as a single call would have reverted with.
    event ItemSkipped(PackageId indexed package, address indexed node, bytes reason);
    /// @notice Side-blocks were written to the ledger (P21, P22).
    /// @param entries Their 80 bytes each, as in `Item.entry`, in order.
    event ReportsAnchored(PackageId indexed package, address node, bytes entries);
    /// @notice A segment of `anchorReports` was not good and has changed nothing.
    /// @param reason As in `ItemSkipped`.
    event SegmentSkipped(PackageId indexed package, address indexed node, bytes reason);
    /// @notice A report was judged to be a violation, or proof of tampering (P7, P18, P24).
    /// @param actions Bitmap, as in `Report.actions`; for tampering bit 7.
    /// @param report EIP-712 digest of the report.
    event ViolationAccepted(PackageId indexed package, uint32 number, uint8 actions, bytes32 report);
    /// @notice Access was taken away (P19).
    /// @param reason Reason code: 0 violation, 1 tampering, 2 the owner's own, 3 silent lease, 4 leak; others are the
    /// owner's to define.
    event PackageRevoked(PackageId indexed package, address indexed by, uint8 reason);
    /// @notice Its custodian has granted access again (P19).
    event PackageRegranted(PackageId indexed package, address indexed by);
    /// @notice Its owner has taken the data back, and the requestor has signed that it deleted them: final (P19).
    /// @param time When, ms since the Unix epoch, in the requestor's words.
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
