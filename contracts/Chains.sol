// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare, PackageId, Segment} from "./interfaces/IMedShare.sol";
import {Header} from "./libraries/Header.sol";
import {Inclusion} from "./libraries/Inclusion.sol";
import {Packages} from "./Packages.sol";

/// @title The heads of all chains of the ledger: a thread a requestor, a side-chain a package (P8, P22)
abstract contract Chains is Packages {
    uint256 private constant MAX_ENTRIES = 512;

    mapping(address requestor => bytes32) private _threads;
    uint32 private _workLimit;

    constructor(uint32 workLimitBits) {
        _setWorkLimit(workLimitBits);
    }

    modifier onlyItself() {
        if (msg.sender != address(this)) revert NotPermitted(msg.sender);
        _;
    }

    /// @inheritdoc IMedShare
    function setWorkLimit(uint32 bits) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setWorkLimit(bits);
    }

    /// @inheritdoc IMedShare
    function anchorReports(Segment[] calldata segments) external onlyNode {
        for (uint256 i = 0; i < segments.length; i++) {
            try this.anchorOne(msg.sender, segments[i]) {}
            catch (bytes memory reason) {
                _requireItsOwnFault(reason);
                emit SegmentSkipped(segments[i].package, msg.sender, reason);
            }
        }
    }

    /// @inheritdoc IMedShare
    function anchorOne(address node, Segment calldata segment) external onlyItself {
        // In every state: what was done to the data must be recordable after a revocation and after expiry too.
        Package storage package = _known(segment.package);
        _requireOwnersNode(segment.package, package, node);
        uint256 length = segment.entries.length;
        if (length == 0 || length % Header.ENTRY_BYTES != 0) revert BadEntryLength(length);
        uint256 count = length / Header.ENTRY_BYTES;
        if (count > MAX_ENTRIES) revert TooLong(count, MAX_ENTRIES);

        bytes32 head = package.head;
        _requireHead(segment.expectedHead, head);
        uint256 limit = Header.target(_workLimit);
        for (uint256 at = 0; at < length; at += Header.ENTRY_BYTES) {
            head = Header.check(segment.entries[at:at + Header.ENTRY_BYTES], head, limit);
        }
        package.head = head;
        package.started = true;
        emit ReportsAnchored(segment.package, node, segment.entries);
    }

    /// @inheritdoc IMedShare
    function threadHead(address requestor) public view returns (bytes32) {
        bytes32 head = _threads[requestor];
        return head == 0 ? threadOrigin(requestor) : head;
    }

    /// @inheritdoc IMedShare
    function threadOrigin(address requestor) public view returns (bytes32) {
        return Header.sha256d(abi.encodePacked("medshare/thread/v1", uint64(block.chainid), address(this), requestor));
    }

    /// @inheritdoc IMedShare
    function workLimit() external view returns (uint32 bits) {
        return _workLimit;
    }

    /// @inheritdoc IMedShare
    function verifyInclusion(
        address requestor,
        PackageId package,
        bytes calldata header,
        bytes32 root,
        uint64 size,
        uint64 index,
        bytes32 leaf,
        bytes32[] calldata proof
    ) external view returns (bool) {
        bool wellFormed =
            header.length == Header.HEADER_BYTES && index < size && proof.length <= Inclusion.MAX_PROOF;
        if (!wellFormed) revert BadProof();
        bool ofThread = PackageId.unwrap(package) == 0;
        _requireHead(Header.sha256d(header), ofThread ? threadHead(requestor) : _known(package).head);
        if (Inclusion.rootInHeader(root, size) != bytes32(header[36:68])) return false;
        return Inclusion.verify(root, size, index, leaf, proof);
    }

    /// @dev Puts a parent block on a requestor's thread.
    function _extendThread(address requestor, bytes32 expectedHead, bytes calldata entry) internal {
        bytes32 head = threadHead(requestor);
        _requireHead(expectedHead, head);
        _threads[requestor] = Header.check(entry, head, Header.target(_workLimit));
    }

    /// @dev A lack of gas is the sender's fault, not the item's: skipping for it would let a gas estimate settle on
    /// a transaction that skips everything.
    function _requireItsOwnFault(bytes memory reason) internal pure {
        bool noReason = reason.length < 4; // as when gas runs out: all our errors have a selector
        // The selector is what is wanted of the longer bytes.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (noReason || bytes4(reason) == GasTooLow.selector) revert GasTooLow(0);
    }

    function _requireHead(bytes32 expected, bytes32 actual) private pure {
        if (expected != actual) revert StaleHead(expected, actual);
    }

    function _setWorkLimit(uint32 bits) private {
        if (Header.target(bits) == 0) revert BadWorkLimit(bits);
        _workLimit = bits;
        emit WorkLimitSet(bits);
    }
}
