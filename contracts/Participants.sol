// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {IMedShare} from "./interfaces/IMedShare.sol";
import {NodeView} from "./interfaces/Types.sol";

/// @title Governance, custodians and their nodes (P5)
abstract contract Participants is IMedShare, AccessControl {
    using EnumerableSet for EnumerableSet.AddressSet;

    struct Node {
        address custodian;
        bytes32 sealingKey;
        string endpoint;
    }

    uint256 private constant MAX_ENDPOINT_BYTES = 256;

    uint256 private constant MAX_NODES = 64;

    EnumerableSet.AddressSet private _custodians;
    mapping(address node => Node) private _nodes;
    mapping(address custodian => EnumerableSet.AddressSet) private _nodesOf;

    constructor(address admin) {
        if (admin == address(0)) revert ZeroValue("admin");
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    modifier onlyCustodian() {
        if (!isCustodian(msg.sender)) revert NotCustodian(msg.sender);
        _;
    }

    /// @inheritdoc IMedShare
    function admitCustodian(address custodian) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (custodian == address(0)) revert ZeroValue("custodian");
        if (!_custodians.add(custodian)) revert AlreadyAdmitted(custodian);
        emit CustodianAdmitted(custodian);
    }

    /// @inheritdoc IMedShare
    function removeCustodian(address custodian) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (!_custodians.remove(custodian)) revert NotAdmitted(custodian);
        // Its nodes go with it, and do not come back when it is admitted again: a stolen node key may be why it goes.
        address[] memory nodes = _nodesOf[custodian].values(); // at most MAX_NODES
        for (uint256 i = 0; i < nodes.length; i++) {
            // Bounded by MAX_NODES, and governance pays.
            // slither-disable-next-line costly-loop
            delete _nodes[nodes[i]];
            emit NodeRemoved(custodian, nodes[i]);
        }
        _nodesOf[custodian].clear();
        emit CustodianRemoved(custodian);
    }

    /// @inheritdoc IMedShare
    function registerNode(address node, bytes32 sealingKey, string calldata endpoint) external onlyCustodian {
        if (node == address(0)) revert ZeroValue("node");
        if (sealingKey == 0) revert ZeroValue("sealingKey");
        uint256 length = bytes(endpoint).length;
        if (length > MAX_ENDPOINT_BYTES) revert TooLong(length, MAX_ENDPOINT_BYTES);
        address holder = _custodianOf(node);
        if (holder != address(0) && holder != msg.sender) revert NodeTaken(node);
        EnumerableSet.AddressSet storage nodes = _nodesOf[msg.sender];
        if (nodes.add(node) && nodes.length() > MAX_NODES) revert TooLong(nodes.length(), MAX_NODES);
        _nodes[node] = Node(msg.sender, sealingKey, endpoint);
        emit NodeRegistered(msg.sender, node, sealingKey, endpoint);
    }

    /// @inheritdoc IMedShare
    function removeNode(address node) external onlyCustodian {
        if (!_nodesOf[msg.sender].remove(node)) revert UnknownNode(node);
        delete _nodes[node];
        emit NodeRemoved(msg.sender, node);
    }

    /// @inheritdoc IMedShare
    function isCustodian(address custodian) public view returns (bool) {
        return _custodians.contains(custodian);
    }

    /// @inheritdoc IMedShare
    function custodianCount() public view returns (uint256) {
        return _custodians.length();
    }

    /// @inheritdoc IMedShare
    function nodeOf(address node) external view returns (NodeView memory) {
        Node storage entry = _nodes[node];
        return NodeView(entry.custodian, entry.sealingKey, entry.endpoint);
    }

    /// @dev The custodian whose node the caller is; reverts for everybody else.
    function _requireNode() internal view returns (address custodian) {
        custodian = _custodianOf(msg.sender);
        if (custodian == address(0)) revert NotNode(msg.sender);
    }

    /// @dev Zero when the node is not registered.
    function _custodianOf(address node) internal view returns (address) {
        return _nodes[node].custodian;
    }

    /// @dev Ms since the Unix epoch, as every time in a signed message.
    function _nowMs() internal view returns (uint256) {
        return block.timestamp * 1000;
    }

    function _isPast(uint64 deadline) internal view returns (bool) {
        // Deadlines are minutes to days away: the seconds that a validator can shift do not matter.
        // slither-disable-next-line timestamp
        return _nowMs() > deadline;
    }
}
