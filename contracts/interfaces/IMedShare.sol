// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice Digest of an `AccessRequest` under this deployment's EIP-712 domain; it names request and package alike.
type PackageId is bytes32;

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
/// @param nonce `requestorNonce(requestor)`: 0 at first, one more after each registration.
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
    bytes32 dataset;
    bytes32 purpose;
    bytes32 selection;
    bytes32 salt;
    uint64 deadline;
}

/// @notice The usage contract bound to a package (P14). EIP-712:
/// `Usage(uint8 sensitivity,uint8 granted,uint8 exempt,uint8 environment,uint64 expiry,bytes32 contractKey)`.
/// @param granted Bitmap of the granted actions: bit 0 read, 1 write, 2 delete, 3 duplicate, 4 move, 5 copy.
/// @param exempt Bitmap, same bits, of the actions that are ignored when sensitivity is low.
/// @param environment 0 any, 1 sandbox.
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

/// @notice Side-blocks of one package, in order.
/// @param entries One or more entries of 80 bytes each, laid out as in `Item.entry`.
struct Segment {
    PackageId package;
    bytes32 expectedHead;
    bytes entries;
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
/// @param state As of now: expiry and epochs taken into account.
/// @param head Head of the side-chain; before the first report the parent block's leaf hash (its origin).
/// @param settled Number of the last report that was settled as a violation.
/// @param violations How many violations this requestor has had on this dataset, in whatever package.
struct PackageView {
    State state;
    address requestor;
    address custodian;
    bytes32 dataset;
    Usage usage;
    bytes32 head;
    uint32 settled;
    uint32 violations;
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

/// @title MeDShare: permissions and anchors of shared medical data
/// @notice Holds who takes part, which package is in which state, and the head of every chain of the ledger (P5, P6, P8, P19).
interface IMedShare {
    // ------------------------------------------------------------------ events
    // The whole state can be rebuilt from these.

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
    event ReportsAnchored(PackageId indexed package, address indexed node, bytes entries);
    event SegmentSkipped(PackageId indexed package, address indexed node, bytes reason);
    /// @param report EIP-712 digest of the report.
    event ViolationAccepted(PackageId indexed package, uint32 number, uint8 actions, bytes32 report);
    /// @param reason Reason code: 0 violation, 1 tampering, 2 the owner's own, 3 silent lease, 4 leak; others are the owner's to define.
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

    // ------------------------------------------------------------------ errors

    error NotCustodian(address caller);
    error NotNode(address caller);
    error NotOwner(PackageId package, address caller);
    error NotPermitted(address caller);
    error AlreadyAdmitted(address custodian);
    error NotAdmitted(address custodian);
    error NodeTaken(address node);
    error UnknownNode(address node);
    error ZeroValue();
    error TooLong(uint256 length, uint256 limit);
    error BadWorkLimit(uint32 bits);
    error BadSignature(address signer);
    error BadNonce(uint256 expected, uint256 given);
    error DeadlinePassed(uint64 deadline, uint256 nowMs);
    error UnknownRequestor(address requestor);
    error Suspended(bytes32 credential);
    error NotSuspended(bytes32 credential);
    error Refused(address custodian, address requestor);
    error UnknownDataset(address custodian, bytes32 dataset);
    error PurposeNotAllowed(bytes32 purpose);
    error AlreadyIssued(PackageId package);
    error UnknownPackage(PackageId package);
    error BadUsage();
    error VerifierIsSender(address verifier);
    error VerifierOfSameCustodian(address verifier);
    error StaleHead(bytes32 expected, bytes32 actual);
    error BadEntryLength(uint256 length);
    error WorkTooLow(bytes32 hash, uint32 bits);
    error BlockFromTheFuture(uint32 time, uint256 now_);
    error WrongState(PackageId package, State state);
    error NoViolation(uint8 actions);
    error AlreadySettled(uint32 number, uint32 settled);
    error SessionMismatch();
    error NotTampering();
    error UnknownAction(uint8 action);
    error BadResponse(ActionKind kind, uint32 threshold);
    error BadProof();
    /// @notice The transaction carries too little gas to check a wallet's signature or a whole item; nothing was done.
    /// @param needed What is needed before a wallet with code is asked; zero when gas ran out inside a batch.
    error GasTooLow(uint256 needed);

    // ------------------------------------------------------------------ participants

    /// @notice Governance admits a custodian. Only the admin role.
    function admitCustodian(address custodian) external;
    /// @notice Governance removes a custodian; its nodes can no longer do anything. Only the admin role.
    function removeCustodian(address custodian) external;
    /// @notice Governance sets the easiest target a block may claim. Only the admin role.
    function setWorkLimit(uint32 bits) external;
    /// @notice A custodian registers a node of its own, or changes its key and endpoint. Endpoint at most 256 bytes.
    function registerNode(address node, bytes32 sealingKey, string calldata endpoint) external;
    /// @notice A custodian removes one of its nodes.
    function removeNode(address node) external;
    /// @notice A node registers a requestor, for which its custodian thereby vouches, or rotates the requestor's keys (P1).
    function registerRequestor(Registration calldata registration, bytes calldata signature) external;
    /// @notice Governance, or the custodian that vouched for a holder of it, suspends a credential, whatever wallet uses it.
    function suspend(address requestor) external;
    /// @notice Takes a suspension back: governance any, a custodian those that it made itself.
    function reinstate(address requestor) external;

    // ------------------------------------------------------------------ datasets

    /// @notice A custodian publishes a dataset or a new version of it. Ids are the custodian's own namespace.
    function publishDataset(
        bytes32 dataset,
        bytes32 descriptor,
        bytes32[] calldata purposes,
        Response[] calldata responses
    ) external;
    /// @notice A custodian withdraws a dataset: no new requests; packages go on as they are.
    function withdrawDataset(bytes32 dataset) external;
    /// @notice The owner lets a requestor ask again after `RefuseRequests`.
    function allowRequests(address requestor) external;

    // ------------------------------------------------------------------ issue and anchor

    /// @notice Issues packages. A bad or stale item is skipped with an event and does not spoil the batch. Only nodes.
    function issue(Item[] calldata items) external;
    /// @notice Anchors side-blocks. A bad or stale segment is skipped with an event. Only nodes of the package's custodian.
    function anchorReports(Segment[] calldata segments) external;
    /// @notice One item of `issue`: a call of its own, so that its failure undoes nothing else. Only this contract itself.
    function issueOne(address node, Item calldata item) external;
    /// @notice One segment of `anchorReports`. Only this contract itself.
    function anchorOne(address node, Segment calldata segment) external;

    // ------------------------------------------------------------------ state machine

    /// @notice Settles a signed report of a violation: judged here, package revoked, response actions taken (P19). Only nodes of the owner.
    /// @param session Delegation of the key that signed the report; `session.key` zero: the wallet signed the report itself.
    function reportViolation(
        Report calldata report,
        bytes calldata signature,
        Session calldata session,
        bytes calldata sessionSignature
    ) external;
    /// @notice Two reports with one number and different digests, both signed by the session key, are proof of tampering and revoke.
    function reportTampering(
        Report calldata first,
        bytes calldata firstSignature,
        Report calldata second,
        bytes calldata secondSignature,
        Session calldata session,
        bytes calldata sessionSignature
    ) external;
    /// @notice The owner (custodian or a node of it) revokes, with a reason code.
    function revoke(PackageId package, uint8 reason) external;
    /// @notice The owner (the custodian itself) grants access again after review.
    function regrant(PackageId package) external;
    /// @notice The owner takes the data back: final. `signature` is the requestor's over `Deletion(bytes32 package,uint64 time)`.
    function retrieve(PackageId package, uint64 time, bytes calldata signature) external;

    // ------------------------------------------------------------------ views

    function packageOf(PackageId package) external view returns (PackageView memory);
    /// @notice Head of a requestor's thread; before the first block its origin.
    function threadHead(address requestor) external view returns (bytes32);
    /// @notice sha256d("medshare/thread/v1" ‖ chain id u64 BE ‖ this ‖ requestor).
    function threadOrigin(address requestor) external view returns (bytes32);
    function workLimit() external view returns (uint32 bits);
    function isCustodian(address custodian) external view returns (bool);
    function custodianCount() external view returns (uint256);
    function nodeOf(address node) external view returns (NodeView memory);
    function requestorOf(address requestor) external view returns (RequestorView memory);
    /// @return descriptor Zero: not published.
    function datasetOf(address custodian, bytes32 dataset)
        external
        view
        returns (bytes32 descriptor, bytes32[] memory purposes, Response[] memory responses);
    function isRefused(address custodian, address requestor) external view returns (bool);
    /// @notice EIP-712 digest of a request: the id of its package.
    function packageIdOf(AccessRequest calldata request) external view returns (PackageId);
    /// @notice The usage contract's answer to one action (0 read … 5 copy, 6 decrypt, 7 tampering).
    function judge(Sensitivity sensitivity, uint8 granted, uint8 exempt, uint8 action) external pure returns (Verdict);
    /// @notice Whether a leaf is in the log of the chain whose current head is `header`. Thread: `package` zero and `requestor` set.
    /// @param header The head's 80 bytes; must hash to the head held here.
    /// @param size Number of leaves; `root` the RFC 6962 root: the header's merkle root is sha256(root ‖ size as u64 LE).
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
