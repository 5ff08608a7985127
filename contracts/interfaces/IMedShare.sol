// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "./IMedShareErrors.sol";
import {IMedShareEvents} from "./IMedShareEvents.sol";
import {
    AccessRequest,
    DatasetId,
    Item,
    NodeView,
    PackageId,
    PackageView,
    Registration,
    Report,
    RequestorView,
    Response,
    Segment,
    Sensitivity,
    Session,
    Verdict
} from "./Types.sol";

/// @title MeDShare: permissions and anchors of shared medical data
/// @notice Holds who takes part, which package is in which state, and the head of every chain of the ledger (P5, P6,
/// P8, P19). Times are ms since the Unix epoch, hashes in their own ("internal") byte order.
interface IMedShare is IMedShareErrors, IMedShareEvents {
    // ------------------------------------------------------------------ participants

    /// @notice Governance admits a custodian (P5). Only the admin role.
    function admitCustodian(address custodian) external;
    /// @notice Governance removes a custodian, and all its nodes with it (P5). Only the admin role.
    function removeCustodian(address custodian) external;
    /// @notice Governance sets the easiest target that a block may claim (P22). Only the admin role.
    /// @param bits Compact form as in Bitcoin's header; about 2^256 / target hashes make a block.
    function setWorkLimit(uint32 bits) external;
    /// @notice A custodian registers a node of its own (P5), or changes its key and endpoint.
    /// @param sealingKey X25519 public key (RFC 7748) that other nodes seal to.
    /// @param endpoint Where peers reach it; at most 256 bytes.
    function registerNode(address node, bytes32 sealingKey, string calldata endpoint) external;
    /// @notice A custodian removes one of its nodes (P5).
    function removeNode(address node) external;
    /// @notice A node registers a requestor, for which its custodian thereby vouches, or rotates the requestor's keys
    /// (P1, P10). Only nodes.
    /// @param signature The requestor's (EOA, EIP-1271 or EIP-7702), which needs no gas of its own.
    function registerRequestor(Registration calldata registration, bytes calldata signature) external;
    /// @notice Suspends the credential of a requestor, whatever wallet uses it (P1): governance, or the custodian that
    /// vouches for this wallet. Governance may take over what a custodian has suspended.
    function suspend(address requestor) external;
    /// @notice Takes a suspension back (P1): governance any, a custodian those that it made itself.
    function reinstate(address requestor) external;

    // ------------------------------------------------------------------ datasets

    /// @notice A custodian publishes a dataset or a new version of it (P7). Ids are the custodian's own namespace.
    /// @param descriptor Hash of the descriptor: columns, roles, privacy model.
    /// @param purposes The purposes it may be asked for, at most 64; none: any.
    /// @param responses What is done to a violator (P7); each kind at most once. They hold from now on, also for
    /// packages that were issued before.
    function publishDataset(
        DatasetId dataset,
        bytes32 descriptor,
        bytes32[] calldata purposes,
        Response[] calldata responses
    ) external;
    /// @notice A custodian withdraws a dataset (P7): no new requests; packages, and what follows a violation, stay.
    function withdrawDataset(DatasetId dataset) external;
    /// @notice The owner lets a requestor ask again after `RefuseRequests` (P7).
    function allowRequests(address requestor) external;

    // ------------------------------------------------------------------ issue and anchor

    /// @notice Issues packages (P13, P14, P15, P20). A bad or stale item is skipped with an event and does not spoil
    /// the batch. Only nodes.
    function issue(Item[] calldata items) external;
    /// @notice Anchors side-blocks (P21, P22). A bad or stale segment is skipped with an event. Only nodes of the
    /// package's custodian, in every state of the package: what was done must be recordable after a revocation too.
    /// @param entries The entries of all segments, one after the other, 80 bytes each.
    function anchorReports(Segment[] calldata segments, bytes calldata entries) external;

    // ------------------------------------------------------------------ state machine

    /// @notice Settles a signed report of a violation: judged here, package revoked, response actions taken (P7, P19).
    /// Only nodes of the owner.
    /// @param session Delegation of the key that signed the report; `session.key` zero: the wallet signed it itself.
    function reportViolation(
        Report calldata report,
        bytes calldata signature,
        Session calldata session,
        bytes calldata sessionSignature
    ) external;
    /// @notice Two reports with one number and different digests, signed by one key, are proof of tampering and revoke
    /// (P24). Only nodes of the owner.
    function reportTampering(
        Report calldata first,
        bytes calldata firstSignature,
        Report calldata second,
        bytes calldata secondSignature,
        Session calldata session,
        bytes calldata sessionSignature
    ) external;
    /// @notice The owner, custodian or a node of it, revokes on findings of its own (P19).
    /// @param reason 2 the owner's own, 3 silent lease, 4 leak, 5 to 255 the owner's to define; 0 and 1 are this
    /// contract's own words for what it has judged.
    function revoke(PackageId package, uint8 reason) external;
    /// @notice The owner, the custodian itself, grants access again after review (P19).
    function regrant(PackageId package) external;
    /// @notice The owner takes the data back: final (P19).
    /// @param time When the requestor deleted the data.
    /// @param signature The requestor's over `Deletion(bytes32 package,uint64 time)`.
    function retrieve(PackageId package, uint64 time, bytes calldata signature) external;

    // ------------------------------------------------------------------ views

    /// @notice The whole state of a package (P6); `State.None` when there is none.
    function packageOf(PackageId package) external view returns (PackageView memory);
    /// @notice Head of a requestor's thread (P8); before the first block its origin.
    function threadHead(address requestor) external view returns (bytes32);
    /// @notice sha256d("medshare/thread/v1" ‖ chain id u64 BE ‖ this ‖ requestor): where the thread begins (P8).
    function threadOrigin(address requestor) external view returns (bytes32);
    /// @notice Compact form of the easiest target that a block may claim (P22).
    function workLimit() external view returns (uint32 bits);
    /// @notice Whether governance has admitted this custodian (P5).
    function isCustodian(address custodian) external view returns (bool);
    /// @notice How many custodians are admitted (P5); with more than one, the second node is another's (P13).
    function custodianCount() external view returns (uint256);
    /// @notice A node; custodian zero when it is not registered now (P5).
    function nodeOf(address node) external view returns (NodeView memory);
    /// @notice A requestor (P1); custodian zero when it was never registered.
    function requestorOf(address requestor) external view returns (RequestorView memory);
    /// @notice A dataset of a custodian (P7).
    /// @return descriptor Zero: not published, or withdrawn.
    /// @return purposes None: any.
    /// @return responses By kind, beyond `RevokePackage`, which always happens.
    function datasetOf(address custodian, DatasetId dataset)
        external
        view
        returns (bytes32 descriptor, bytes32[] memory purposes, Response[] memory responses);
    /// @notice Whether the custodian takes no new requests of this requestor (P7).
    function isRefused(address custodian, address requestor) external view returns (bool);
    /// @notice EIP-712 digest of a request: the id of its package (P4).
    function packageIdOf(AccessRequest calldata request) external view returns (PackageId);
    /// @notice The usage contract's answer to one action (P18): 0 read … 5 copy, 6 decrypt, 7 tampering.
    function judge(Sensitivity sensitivity, uint8 granted, uint8 exempt, uint8 action) external pure returns (Verdict);
    /// @notice Whether a leaf is in the log of the chain whose current head is `header` (P22). A side-chain has a log from
    /// its first report on.
    /// @param requestor Whose thread is meant, where `package` is zero.
    /// @param package Whose side-chain is meant; zero: the thread.
    /// @param header The head's 80 bytes; must hash to the head that is held here.
    /// @param root RFC 6962 root; the header's merkle root is sha256(root ‖ size as u64 LE).
    /// @param size Number of leaves.
    /// @param proof RFC 6962 audit path, leaf to root.
    function verifyInclusion(
        address requestor,
        PackageId package,
        bytes calldata header,
        bytes32 root,
        uint64 size,
        uint64 index,
        bytes32 leaf,
        bytes32[] calldata proof
    ) external view returns (bool);
}
