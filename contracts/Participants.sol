// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IMedShare} from "./interfaces/IMedShare.sol";
import {NodeView} from "./interfaces/Types.sol";

/// @title Governance, custodians and their nodes (P5)
abstract contract Participants is IMedShare, AccessControl {
    struct Node {
        address custodian;
        /// Admission under which it was registered: a custodian that is removed and admitted again starts without
        /// nodes, since a stolen node key may have been why it was removed.
        uint32 admission;
        bytes32 sealingKey;
        string endpoint;
    }

    struct Custodian {
        bool admitted;
        uint32 admission;
    }

    uint256 private constant MAX_ENDPOINT_BYTES = 256;

    mapping(address custodian => Custodian) private _custodians;
    mapping(address node => Node) private _nodes;
    uint256 private _custodianCount;

    constructor(address admin) {
        if (admin == address(0)) revert ZeroValue();
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    modifier onlyCustodian() {
        if (!isCustodian(msg.sender)) revert NotCustodian(msg.sender);
        _;
    }

    modifier onlyNode() {
        _requireNode();
        _;
    }

    /// @inheritdoc IMedShare
    function admitCustodian(address custodian) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (custodian == address(0)) revert ZeroValue();
        Custodian storage entry = _custodians[custodian];
        if (entry.admitted) revert AlreadyAdmitted(custodian);
        entry.admitted = true;
        entry.admission += 1;
        _custodianCount += 1;
        emit CustodianAdmitted(custodian);
    }

    /// @inheritdoc IMedShare
    function removeCustodian(address custodian) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (!isCustodian(custodian)) revert NotAdmitted(custodian);
        _custodians[custodian].admitted = false;
        _custodianCount -= 1;
        emit CustodianRemoved(custodian);
    }

    /// @inheritdoc IMedShare
    function registerNode(address node, bytes32 sealingKey, string calldata endpoint) external onlyCustodian {
        if (node == address(0) || sealingKey == 0) revert ZeroValue();
        uint256 length = bytes(endpoint).length;
        if (length > MAX_ENDPOINT_BYTES) revert TooLong(length, MAX_ENDPOINT_BYTES);
        address holder = _custodianOf(node);
        if (holder != address(0) && holder != msg.sender) revert NodeTaken(node);
        _nodes[node] = Node(msg.sender, _custodians[msg.sender].admission, sealingKey, endpoint);
        emit NodeRegistered(msg.sender, node, sealingKey, endpoint);
    }

    /// @inheritdoc IMedShare
    function removeNode(address node) external onlyCustodian {
        if (_custodianOf(node) != msg.sender) revert UnknownNode(node);
        delete _nodes[node];
        emit NodeRemoved(msg.sender, node);
    }

    /// @inheritdoc IMedShare
    function isCustodian(address custodian) public view returns (bool) {
        return _custodians[custodian].admitted;
    }

    /// @inheritdoc IMedShare
    function custodianCount() public view returns (uint256) {
        return _custodianCount;
    }

    /// @inheritdoc IMedShare
    function nodeOf(address node) external view returns (NodeView memory) {
        if (_custodianOf(node) == address(0)) return NodeView(address(0), 0, "");
        Node storage entry = _nodes[node];
        return NodeView(entry.custodian, entry.sealingKey, entry.endpoint);
    }

    /// @dev The custodian whose node the caller is; reverts for everybody else.
    function _requireNode() internal view returns (address custodian) {
        custodian = _custodianOf(msg.sender);
        if (custodian == address(0)) revert NotNode(msg.sender);
    }

    /// @dev Zero when the node is not registered now, or its custodian is not admitted now.
    function _custodianOf(address node) internal view returns (address) {
        Node storage entry = _nodes[node];
        Custodian storage custodian = _custodians[entry.custodian];
        return custodian.admitted && custodian.admission == entry.admission ? entry.custodian : address(0);
    }

    /// @dev Ms since the Unix epoch, as every time in a signed message.
    function _nowMs() internal view returns (uint256) {
        return block.timestamp * 1000;
    }

    function _requireInTime(uint64 deadline) internal view {
        if (_nowMs() > deadline) revert DeadlinePassed(deadline, _nowMs());
    }
}
