// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "./interfaces/IMedShare.sol";
import {PackageId, Segment} from "./interfaces/Types.sol";
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
        mapping(PackageId => Head) storage heads = _heads[_requireNode()];
        Header.Limit memory limit = Header.limitOf(_workLimit);
        (uint256 at, uint256 end) = Header.span(entries);
        for (uint256 i = 0; i < segments.length; i++) {
            Segment calldata segment = segments[i];
            bytes calldata itsOwn = Header.slice(at, _lengthOf(segment));
            unchecked {
                at += itsOwn.length; // each length is bounded, and so is their number: by the calldata
            }
            _anchor(heads[segment.package], segment, itsOwn, limit);
        }
        if (at != end) revert BadEntryLength(entries.length); // then nothing of the above has happened
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
        if (!wellFormed) revert BadProof(header.length, size, index, proof.length);
        _requireHead(requestor, package, Header.sha256d(header));
        if (Inclusion.rootInHeader(root, size) != bytes32(header[36:68])) return false;
        return Inclusion.verify(root, size, index, leaf, proof);
    }

    /// @dev Reverts unless the hash is the head of a side-chain, or of a thread where `package` is zero.
    function _requireHead(address requestor, PackageId package, bytes32 hash) private view {
        bytes32 head;
        if (PackageId.unwrap(package) == 0) {
            head = threadHead(requestor);
        } else {
            // Before the first report the head is a leaf hash that one node has chosen, and no header's.
            if (!_started(package, _known(package))) revert NoReport(package);
            head = _headOf(package, _packages[package]);
        }
        if (hash != head) revert StaleHead(hash, head);
    }

    /// @return fault What is wrong with a parent block for a requestor's thread, ABI-encoded; empty: nothing.
    /// @return head The thread's new head.
    function _checkEntry(address requestor, bytes32 expectedHead, bytes calldata entry)
        internal
        view
        returns (bytes memory fault, bytes32 head)
    {
        head = threadHead(requestor);
        if (head != expectedHead) return (abi.encodeWithSelector(StaleHead.selector, expectedHead, head), head);
        if (entry.length != Header.ENTRY_BYTES) {
            return (abi.encodeWithSelector(BadEntryLength.selector, entry.length), head);
        }
        // It becomes the origin of the side-chain, and zero stands for none there.
        if (Header.leafOf(entry) == 0) return (abi.encodeWithSelector(ZeroValue.selector, bytes32("leaf")), head);
        uint256 bad;
        (head, bad) = Header.extend(entry, head, Header.limitOf(_workLimit));
        if (bad != 0) fault = Header.fault(bad, head);
    }

    function _setThreadHead(address requestor, bytes32 head) internal {
        _threads[requestor] = head;
    }

    /// @dev Moves one head, or says why not; a skipped segment changes nothing.
    function _anchor(Head storage head, Segment calldata segment, bytes calldata entries, Header.Limit memory limit)
        private
    {
        bytes32 hash = head.hash;
        if (!_isOn(segment, hash)) {
            emit SegmentSkipped(segment.package, msg.sender, _misfit(segment, hash));
            return;
        }
        uint256 bad;
        (hash, bad) = Header.extend(entries, hash, limit);
        if (bad != 0) {
            emit SegmentSkipped(segment.package, msg.sender, Header.fault(bad, hash));
            return;
        }
        head.hash = hash;
        _tell(segment.package, entries);
    }

    /// @dev `emit ReportsAnchored(id, msg.sender, entries)` at half of what the compiler's own encoding costs.
    // slither-disable-next-line assembly
    function _tell(PackageId id, bytes calldata entries) private {
        bytes32 topic = ReportsAnchored.selector;
        assembly ("memory-safe") {
            let log := mload(0x40)
            mstore(log, caller())
            mstore(add(log, 0x20), 0x40) // where the bytes are
            mstore(add(log, 0x40), entries.length)
            calldatacopy(add(log, 0x60), entries.offset, entries.length)
            mstore(add(add(log, 0x60), entries.length), 0) // what fills up the last word
            log2(log, add(0x60, and(add(entries.length, 31), not(31))), topic, id)
        }
    }

    /// @dev Why a segment does not fit the head of its package that its sender has in reach (zero: none), ABI-encoded.
    function _misfit(Segment calldata segment, bytes32 head) private view returns (bytes memory) {
        PackageId id = segment.package;
        if (_packages[id].standing == Standing.None) return abi.encodeWithSelector(UnknownPackage.selector, id);
        if (head == 0) return abi.encodeWithSelector(NotOwner.selector, id, msg.sender);
        return abi.encodeWithSelector(StaleHead.selector, segment.expectedHead, head);
    }

    /// @dev Whether the head is there and begins with `segment.expectedHead`.
    // As Solidity would read it, without a look at the padding, which is a tenth of the loop's gas.
    // slither-disable-next-line assembly
    function _isOn(Segment calldata segment, bytes32 head) private pure returns (bool isOn) {
        assembly ("memory-safe") {
            isOn := and(iszero(iszero(head)), eq(shr(192, head), shr(192, calldataload(add(segment, 0x20)))))
        }
    }

    /// @dev How many bytes of entries the segment has.
    // As above.
    // slither-disable-next-line assembly
    function _lengthOf(Segment calldata segment) private pure returns (uint256) {
        uint256 count;
        assembly ("memory-safe") {
            count := calldataload(add(segment, 0x40))
        }
        unchecked {
            if (count - 1 >= MAX_ENTRIES) revert BadCount(count, MAX_ENTRIES); // none is too few
            return count * Header.ENTRY_BYTES;
        }
    }

    function _setWorkLimit(uint32 bits) private {
        if (Header.target(bits) == 0) revert BadWorkLimit(bits);
        _workLimit = bits;
        emit WorkLimitSet(bits);
    }
}
