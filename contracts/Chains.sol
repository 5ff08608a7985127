// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "./interfaces/IMedShare.sol";
import {PackageId, Segment} from "./interfaces/Types.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
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

    /// @inheritdoc IMedShare
    function setWorkLimit(uint32 bits) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setWorkLimit(bits);
    }

    /// @inheritdoc IMedShare
    function anchorReports(Segment[] calldata segments, bytes calldata entries) external {
        mapping(PackageId => bytes32) storage heads = _heads[_requireNode()];
        Header.Limit memory limit = _limit();
        for (uint256 i = 0; i < segments.length; i++) {
            Segment calldata segment = segments[i];
            bytes calldata itsOwn;
            (itsOwn, entries) = Header.split(entries, segment.count);
            bytes32 head = heads[segment.package];
            bytes memory fault = _faultOf(segment, head);
            if (fault.length == 0) (head, fault) = Header.extend(itsOwn, head, limit);
            if (fault.length == 0) {
                heads[segment.package] = head;
                emit ReportsAnchored(segment.package, msg.sender, itsOwn);
            } else {
                emit SegmentSkipped(segment.package, msg.sender, fault);
            }
        }
        if (entries.length != 0) revert BadEntryLength(entries.length);
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
        _requireHead(Header.sha256d(header), ofThread ? threadHead(requestor) : _headOf(package, _known(package)));
        if (Inclusion.rootInHeader(root, size) != bytes32(header[36:68])) return false;
        return Inclusion.verify(root, size, index, leaf, proof);
    }

    /// @dev Puts a parent block on a requestor's thread.
    function _extendThread(address requestor, bytes32 expectedHead, bytes calldata entry) internal {
        bytes32 head = threadHead(requestor);
        _requireHead(expectedHead, head);
        if (entry.length != Header.ENTRY_BYTES) revert BadEntryLength(entry.length);
        bytes memory fault;
        (head, fault) = Header.extend(entry, head, _limit());
        if (fault.length != 0) LowLevelCall.bubbleRevert(fault);
        _threads[requestor] = head;
    }

    /// @dev What is wrong with a segment before its entries are looked at; empty: nothing.
    /// @param head The head that its sender has in reach; zero: none.
    function _faultOf(Segment calldata segment, bytes32 head) private view returns (bytes memory fault) {
        uint256 count = segment.count;
        bool fits = head == segment.expectedHead && head != 0 && count != 0 && count <= MAX_ENTRIES;
        if (fits) return fault;
        PackageId id = segment.package;
        bool known = _packages[id].standing != Standing.None;
        if (!known) return abi.encodeWithSelector(UnknownPackage.selector, id);
        if (head == 0) return abi.encodeWithSelector(NotOwner.selector, id, msg.sender);
        if (head != segment.expectedHead) {
            return abi.encodeWithSelector(StaleHead.selector, segment.expectedHead, head);
        }
        if (count == 0) return abi.encodeWithSelector(BadEntryLength.selector, 0);
        return abi.encodeWithSelector(TooLong.selector, count, MAX_ENTRIES);
    }

    function _requireHead(bytes32 expected, bytes32 actual) private pure {
        if (expected != actual) revert StaleHead(expected, actual);
    }

    function _limit() private view returns (Header.Limit memory) {
        uint32 bits = _workLimit;
        return Header.Limit(bits, Header.target(bits));
    }

    function _setWorkLimit(uint32 bits) private {
        if (Header.target(bits) == 0) revert BadWorkLimit(bits);
        _workLimit = bits;
        emit WorkLimitSet(bits);
    }
}
