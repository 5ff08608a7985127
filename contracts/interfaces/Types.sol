// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Digest of an `AccessRequest` under this deployment's EIP-712 domain; it names request and package alike.
type PackageId is bytes32;

/// @notice Name of a dataset in its custodian's own namespace; never zero.
type DatasetId is bytes32;

/// @notice What a usage contract answers to an action (paper, Algorithm 1; P6).
enum Verdict {
    Permitted, // allowed, and reported
    Ignored, // allowed and, the data being of low sensitivity, not reported
    Violation // refused, reported, and access revoked
}

/// @notice States of a package (paper, Figure 2; P6). `Retrieved` and `Expired` are final.
enum State {
    None,
    Issued,
    Active,
    Revoked,
    Retrieved,
    Expired
}

/// @notice How identifying the payload is (P12).
enum Sensitivity {
    Low,
    High
}

/// @notice The class of organisation a requestor belongs to (P1).
enum Class {
    Hospital,
    University,
    ResearchInstitution,
    Individual,
    Government,
    Other
}

/// @notice What the owner wants done to a violator (P7). `RevokePackage` always happens.
enum ActionKind {
    RevokePackage,
    RevokeDataset, // every package of this dataset that this requestor holds
    RevokeOwner, // every package of this owner that this requestor holds
    RefuseRequests // no new request of this requestor to this owner
}

/// @notice A response action and the violation (counted per requestor and dataset, from 1) from which on it is taken.
struct Response {
    ActionKind kind;
    uint32 threshold;
}

/// @notice A requestor's registration, or the rotation of its keys. EIP-712:
/// `Registration(address requestor,bytes32 sealingKey,uint8 class,bytes32 credential,uint256 nonce,uint64 deadline)`.
/// @param sealingKey X25519 public key (RFC 7748) that packages are sealed to.
/// @param credential Hash of the credential that the vouching custodian has seen; suspensions hold for it.
/// @param nonce `requestorOf(requestor).nonce`: 0 at first, one more after each registration.
/// @param deadline Last moment the signature may be used, ms since the Unix epoch.
struct Registration {
    address requestor;
    bytes32 sealingKey;
    Class class;
    bytes32 credential;
    uint256 nonce;
    uint64 deadline;
}

/// @notice A signed request for data. EIP-712:
/// `AccessRequest(address requestor,address custodian,bytes32 dataset,bytes32 purpose,Selection selection,bytes32 salt,uint64 deadline)Selection(string[] fields,string filter)`.
/// @param purpose ASCII purpose code, zero-padded on the right (`DUO:0000042`, `HRESCH`).
/// @param selection hashStruct of the `Selection`; the fields themselves stay off the chain.
/// @param deadline Last moment the request may be issued, ms since the Unix epoch.
struct AccessRequest {
    address requestor;
    address custodian;
    DatasetId dataset;
    bytes32 purpose;
    bytes32 selection;
    bytes32 salt;
    uint64 deadline;
}

/// @notice The usage contract bound to a package (P14). EIP-712:
/// `Usage(uint8 sensitivity,uint8 granted,uint8 exempt,uint8 environment,uint64 expiry,bytes32 contractKey)`.
/// @param granted Bitmap of the granted actions: bit 0 read, 1 write, 2 delete, 3 duplicate, 4 move, 5 copy.
/// @param exempt Bitmap, same bits, of the actions that are ignored when sensitivity is low.
/// @param environment 0 any, 1 sandbox, 2 sandbox whose output is held back until the custodian releases it.
/// @param expiry Ms since the Unix epoch; at that time the package expires.
/// @param contractKey X25519 public key that reports are sealed to (P10).
struct Usage {
    Sensitivity sensitivity;
    uint8 granted;
    uint8 exempt;
    uint8 environment;
    uint64 expiry;
    bytes32 contractKey;
}

/// @notice One request, its permission and its parent block: they stand or fall together.
/// @param requestSignature The requestor's, over `request` (EOA, EIP-1271 or EIP-7702).
/// @param payloadHash sha256d(salt ‖ plaintext) of what was sealed.
/// @param formDigest Digest of the form as the second node saw it.
/// @param verifier The second node (P13): registered, not the sender, and of another custodian as soon as two are admitted.
/// @param validationDeadline Ms since the Unix epoch.
/// @param validationSignature The verifier's, 65 bytes, over
/// `Validation(bytes32 package,bytes32 payloadHash,bytes32 formDigest,uint8 sensitivity,bytes32 usage,uint64 deadline)`, `usage` = hashStruct(Usage).
/// @param expectedHead Head of the requestor's thread that the parent block was mined on.
/// @param entry The parent block's 80 bytes: version 4 ‖ merkle root 32 ‖ time 4 ‖ bits 4 ‖ nonce 4 ‖ leaf hash 32.
struct Item {
    AccessRequest request;
    bytes requestSignature;
    Usage usage;
    bytes32 payloadHash;
    bytes32 formDigest;
    address verifier;
    uint64 validationDeadline;
    bytes validationSignature;
    bytes32 expectedHead;
    bytes entry;
}

/// @notice Side-blocks of one package, in order. The entries of all segments of a call travel one after the other.
/// @param expectedHead The first eight bytes of the head that the first of them was mined on: enough to tell a stale
/// segment, and all that is needed, since the contract puts the head that it holds into the header itself.
/// @param count How many entries are this segment's: 1 to 512.
struct Segment {
    PackageId package;
    bytes8 expectedHead;
    uint32 count;
}

/// @notice A report of what was done to the data (P17, P18). EIP-712:
/// `Report(bytes32 package,uint32 number,bytes32 previous,uint8 actions,uint64 time,bytes32 body)`.
/// @param number From 1, without gaps; number 1 is `decrypt`.
/// @param previous EIP-712 digest of the report before, zero for number 1.
/// @param actions Bitmap: bits 0 to 5 as in `Usage.granted`, 6 decrypt, 7 tampering.
/// @param time Ms since the Unix epoch, the requestor's clock.
/// @param body sha256d of the body sealed to the contract key.
struct Report {
    PackageId package;
    uint32 number;
    bytes32 previous;
    uint8 actions;
    uint64 time;
    bytes32 body;
}

/// @notice The wallet's delegation to a session key. EIP-712: `Session(bytes32 package,address key,uint64 expiry)`.
/// @param expiry Ms since the Unix epoch.
struct Session {
    PackageId package;
    address key;
    uint64 expiry;
}

/// @notice Everything an agent or an auditor wants to know of a package, in one call.
/// @param state As of now: expiry and response actions taken into account.
/// @param started Whether the side-chain has moved, so that a re-grant leads to `Active` and not to `Issued`.
/// @param refused Whether the owner takes no new requests of this requestor (P7).
/// @param settled Number of the last report that was settled as a violation.
/// @param violations How many violations this requestor has had on this dataset, in whatever package.
/// @param head Head of the side-chain; before the first report the parent block's leaf hash (its origin).
struct PackageView {
    State state;
    bool started;
    bool refused;
    address requestor;
    address custodian;
    DatasetId dataset;
    Usage usage;
    uint32 settled;
    uint32 violations;
    bytes32 head;
}

/// @notice A node of a custodian.
struct NodeView {
    address custodian; // zero: not registered now
    bytes32 sealingKey;
    string endpoint;
}

/// @notice A requestor as it is registered now.
struct RequestorView {
    address custodian; // the one that vouches; zero: not registered
    bytes32 sealingKey;
    Class class;
    bytes32 credential;
    bool suspended;
    uint256 nonce;
}
