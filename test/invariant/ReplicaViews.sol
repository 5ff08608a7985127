// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ActionKind,
    Class,
    DatasetId,
    NodeView,
    PackageId,
    PackageView,
    RequestorView,
    Response,
    State,
    Usage
} from "../../contracts/interfaces/Types.sol";

/// @notice What the replica holds, and its answers to the contract's own questions: the same functions with the same
/// encoding, so that answers are compared byte by byte.
abstract contract ReplicaViews {
    struct Requestor {
        address custodian;
        bytes32 sealingKey;
        Class class;
        bytes32 credential;
        uint256 nonce;
    }

    struct Dataset {
        bytes32 descriptor;
        bytes32[] purposes;
        uint32[4] from; // by kind: from which violation on a response is taken; zero: never
    }

    struct Package {
        address requestor;
        address custodian;
        DatasetId dataset;
        Usage usage;
        bytes32 origin;
        bytes32 head;
        uint32 settled;
        bool revoked;
        bool retrieved;
    }

    /// @notice Stands for whoever had the role when it suspended.
    address public constant GOVERNANCE = address(1);

    address internal immutable told;
    uint256 public custodianCount;
    uint32 public workLimit;
    mapping(bytes32 role => mapping(address => bool)) public hasRole;
    mapping(address => bool) public isCustodian;
    mapping(address custodian => mapping(address requestor => bool)) public isRefused;
    mapping(bytes32 credential => address) public suspenderOf;
    PackageId[] internal ids;
    mapping(address => NodeView) internal nodes;
    mapping(address => Requestor) internal entries;
    mapping(address custodian => mapping(DatasetId dataset => Dataset)) internal offers;
    mapping(PackageId => Package) internal held;
    mapping(address requestor => bytes32) internal threads;
    mapping(address requestor => mapping(address custodian => mapping(DatasetId dataset => uint32))) internal
        violations;

    constructor(address told_) {
        told = told_;
    }

    // ---------------------------------------------------------------- the contract's own questions

    function nodeOf(address node) external view returns (NodeView memory) {
        return nodes[node];
    }

    function requestorOf(address requestor) external view returns (RequestorView memory) {
        Requestor storage its = entries[requestor];
        bool suspended = suspenderOf[its.credential] != address(0);
        return RequestorView(its.custodian, its.sealingKey, its.class, its.credential, suspended, its.nonce);
    }

    function datasetOf(address custodian, DatasetId dataset)
        external
        view
        returns (bytes32, bytes32[] memory, Response[] memory)
    {
        Dataset storage its = offers[custodian][dataset];
        return (its.descriptor, its.purposes, responsesOf(its.from));
    }

    /// @dev By kind, without the first, which is always taken.
    function responsesOf(uint32[4] memory from) private pure returns (Response[] memory responses) {
        responses = new Response[](3);
        uint256 count = 0;
        for (uint256 kind = 1; kind < 4; kind++) {
            if (from[kind] != 0) responses[count++] = Response(ActionKind(kind), from[kind]);
        }
        assembly ("memory-safe") {
            mstore(responses, count)
        }
    }

    function threadHead(address requestor) public view returns (bytes32 head) {
        head = threads[requestor];
        if (head != 0) return head;
        bytes memory origin =
            bytes.concat("medshare/thread/v1", abi.encodePacked(uint64(block.chainid), told, requestor));
        return sha256(bytes.concat(sha256(origin)));
    }

    function packageOf(PackageId id) external view returns (PackageView memory) {
        Package storage its = held[id];
        return PackageView({
            state: stateOf(id),
            started: its.head != its.origin,
            refused: isRefused[its.custodian][its.requestor],
            requestor: its.requestor,
            custodian: its.custodian,
            dataset: its.dataset,
            usage: its.usage,
            settled: its.settled,
            violations: violations[its.requestor][its.custodian][its.dataset],
            head: its.head
        });
    }

    // ---------------------------------------------------------------- what the handlers ask besides

    /// @notice Zero when it is no node.
    function custodianOf(address node) public view returns (address) {
        return nodes[node].custodian;
    }

    function stateOf(PackageId id) public view returns (State) {
        Package storage its = held[id];
        if (its.requestor == address(0)) return State.None;
        if (its.retrieved) return State.Retrieved;
        if (block.timestamp * 1000 >= its.usage.expiry) return State.Expired;
        if (its.revoked) return State.Revoked;
        return its.head == its.origin ? State.Issued : State.Active;
    }

    function credentialOf(address requestor) external view returns (bytes32) {
        return entries[requestor].credential;
    }

    function voucherOf(address requestor) external view returns (address) {
        return entries[requestor].custodian;
    }

    function nonceOf(address requestor) external view returns (uint256) {
        return entries[requestor].nonce;
    }

    function isOffered(address custodian, DatasetId dataset) external view returns (bool) {
        return offers[custodian][dataset].descriptor != 0;
    }

    function isPurpose(address custodian, DatasetId dataset, bytes32 purpose) external view returns (bool) {
        bytes32[] storage purposes = offers[custodian][dataset].purposes;
        for (uint256 i = 0; i < purposes.length; i++) {
            if (purposes[i] == purpose) return true;
        }
        return purposes.length == 0;
    }
}
