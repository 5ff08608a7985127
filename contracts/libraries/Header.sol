// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../interfaces/IMedShareErrors.sol";

/// @title Bitcoin's 80-byte block header (P22)
/// @notice An entry is a header without its previous hash, which the caller holds, and with the leaf hash behind it:
/// version 4 ‖ merkle root 32 ‖ time 4 ‖ bits 4 ‖ nonce 4 ‖ leaf hash 32. Integers are little-endian.
library Header {
    uint256 internal constant ENTRY_BYTES = 80;
    uint256 internal constant HEADER_BYTES = 80;

    /// @notice The easiest target that may be claimed.
    struct Limit {
        uint256 target;
        uint256 bits; // the same in compact form, little-endian as in a header
    }

    /// @notice How far a block's time may run ahead of the chain's clock.
    uint256 internal constant MAX_AHEAD_SECONDS = 120;

    /// @notice Double SHA-256, bytes in the digest's own ("internal") order.
    function sha256d(bytes memory data) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(sha256(data)));
    }

    /// @notice A limit from its compact form.
    function limitOf(uint32 bits) internal pure returns (Limit memory limit) {
        limit.target = target(bits);
        (, limit.bits) = swap(0, bits);
    }

    /// @notice Checks whole entries, each on top of the one before, the first on top of `head`.
    /// @return hash The new head, where all is well; else the hash of the first bad entry.
    /// @return bad Where the first bad entry stands in the calldata; zero: all is well.
    function extend(bytes calldata entries, bytes32 head, Limit memory limit)
        internal
        view
        returns (bytes32 hash, uint256 bad)
    {
        (uint256 at, uint256 end) = span(entries);
        (uint256 easiest, uint256 bits) = (limit.target, limit.bits);
        for (hash = head; at < end; at = next(at)) {
            hash = hashOf(lay(at, hash));
            if (!isPlainlyGood(at, hash, easiest, bits)) {
                if (!isGood(at, hash, easiest)) return (hash, at);
            }
        }
    }

    /// @notice Why `extend` found the entry at `at` bad: the error, ABI-encoded.
    function fault(uint256 at, bytes32 hash) internal view returns (bytes memory) {
        (uint256 time, uint256 bits) = timeAndBits(at);
        return isInTime(time)
            ? abi.encodeWithSelector(IMedShareErrors.WorkTooLow.selector, hash, bits)
            : abi.encodeWithSelector(IMedShareErrors.BlockFromTheFuture.selector, time, block.timestamp);
    }

    /// @dev Whether an entry with this hash meets its claim, its claim the limit, and its time the clock.
    // A block's time may run ahead by two minutes anyway.
    // slither-disable-next-line timestamp
    function isGood(uint256 at, bytes32 hash, uint256 limit) internal view returns (bool) {
        (uint256 time, uint256 bits) = timeAndBits(at);
        // No bit is lost: they are read from four bytes.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint256 claimed = target(uint32(bits));
        // A target of zero, as invalid bits have, is reached by no hash that was ever seen; it is refused all the same.
        return claimed != 0 && claimed <= limit && asNumber(hash) <= claimed && isInTime(time);
    }

    // As above.
    // slither-disable-next-line timestamp
    function isInTime(uint256 time) private view returns (bool) {
        return time <= block.timestamp + MAX_AHEAD_SECONDS;
    }

    /// @notice The leaf hash behind an entry's header.
    function leafOf(bytes calldata entry) internal pure returns (bytes32) {
        return bytes32(entry[48:80]);
    }

    /// @notice The time, s since the Unix epoch, and the compact target that the entry at `at` in the calldata claims.
    // One read instead of two slices.
    // slither-disable-next-line assembly
    function timeAndBits(uint256 at) internal pure returns (uint256 time, uint256 bits) {
        uint256 both;
        assembly ("memory-safe") {
            both := shr(192, calldataload(add(at, 36))) // time 4 ‖ bits 4
        }
        return swap(both >> 32, both & 0xffffffff);
    }

    /// @dev Two numbers of four bytes, each turned round.
    function swap(uint256 first, uint256 second) internal pure returns (uint256, uint256) {
        uint256 both = first << 32 | second;
        both = ((both & 0xff00ff00ff00ff00) >> 8) | ((both & 0x00ff00ff00ff00ff) << 8);
        both = ((both & 0xffff0000ffff0000) >> 16) | ((both & 0x0000ffff0000ffff) << 16);
        return (both >> 32, both & 0xffffffff);
    }

    /// @notice The target of a compact form, as Bitcoin decodes it; zero when negative, too large, or zero.
    function target(uint32 bits) internal pure returns (uint256) {
        uint256 size = bits >> 24;
        uint256 word = bits & 0x7fffff;
        // The sign bit of the mantissa.
        // slither-disable-next-line too-many-digits
        if (bits & 0x800000 != 0) return 0;
        if (size <= 3) return word >> (8 * (3 - size));
        bool overflows = size > 34 || (size > 33 && word > 0xff) || (size > 32 && word > 0xffff);
        return overflows ? 0 : word << (8 * (size - 3));
    }

    /// @notice A hash as the number that Bitcoin compares with the target: its bytes are little-endian.
    // Masks, not amounts.
    // slither-disable-next-line too-many-digits
    function asNumber(bytes32 hash) internal pure returns (uint256 number) {
        number = uint256(hash);
        number = ((number & 0xff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00) >> 8)
            | ((number & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff) << 8);
        number = ((number & 0xffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000) >> 16)
            | ((number & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff) << 16);
        number = ((number & 0xffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000) >> 32)
            | ((number & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff) << 32);
        number = ((number & 0xffffffffffffffff0000000000000000ffffffffffffffff0000000000000000) >> 64)
            | ((number & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff) << 64);
        number = (number >> 128) | (number << 128);
    }

    // ---------------------------------------------------------------- calldata and memory
    // Slices and `abi.encodePacked` would triple the gas of the loop that every report goes through.

    function next(uint256 at) private pure returns (uint256) {
        unchecked {
            return at + ENTRY_BYTES; // calldata is far smaller than what could overflow
        }
    }

    /// @dev Where data begins and ends in the calldata.
    // slither-disable-next-line assembly
    function span(bytes calldata data) internal pure returns (uint256 at, uint256 end) {
        assembly ("memory-safe") {
            at := data.offset
            end := add(at, data.length)
        }
    }

    /// @dev Calldata from `at` on. Behind its end there are zeros: the caller checks how far it has read.
    // Two parts of one slice, which slither takes for one variable.
    // slither-disable-next-line assembly,write-after-write
    function slice(uint256 at, uint256 length) internal pure returns (bytes calldata data) {
        assembly ("memory-safe") {
            data.offset := at
            data.length := length
        }
    }

    /// @dev Writes the header of the entry at `at` in the calldata, on top of `previous`, to free memory.
    // slither-disable-next-line assembly
    function lay(uint256 at, bytes32 previous) internal pure returns (uint256 header) {
        assembly ("memory-safe") {
            header := mload(0x40)
            mstore(header, calldataload(at)) // version, and what the next lines write over
            calldatacopy(add(header, 32), at, 48) // merkle root, time, bits, nonce, behind the version once more
            mstore(add(header, 4), previous)
        }
    }

    /// @dev Double SHA-256 of the header at `header` in memory. A precompile that fails (out of gas) or is not there
    /// reverts: neither may look like a hash.
    // slither-disable-next-line assembly
    function hashOf(uint256 header) private view returns (bytes32 hash) {
        assembly ("memory-safe") {
            // Arguments are evaluated from the right.
            let done :=
                and(
                    staticcall(gas(), 2, 0x00, 0x20, 0x00, 0x20),
                    staticcall(gas(), 2, header, HEADER_BYTES, 0x00, 0x20)
                )
            if iszero(and(eq(returndatasize(), 0x20), done)) { revert(0, 0) }
            hash := mload(0x00)
        }
    }

    /// @dev `isGood` for nearly all entries that are: those that claim the limit itself and whose hash falls below it
    /// in the four bytes that count most. Every report goes through here; it costs a third of `isGood`.
    /// @param limit As a number, and `bits` in compact form, little-endian.
    // Solidity spends half as much again on it; the digits are masks.
    // slither-disable-next-line assembly,too-many-digits
    function isPlainlyGood(uint256 at, bytes32 hash, uint256 limit, uint256 bits) internal view returns (bool plain) {
        assembly ("memory-safe") {
            let word := shr(192, calldataload(add(at, 36))) // time 4 ‖ bits 4
            let claims := eq(and(word, 0xffffffff), bits)
            // The time and the last four bytes of the hash, side by side, both turned round.
            word := or(and(word, 0xffffffff00000000), and(hash, 0xffffffff))
            word := or(and(shr(8, word), 0x00ff00ff00ff00ff), shl(8, and(word, 0x00ff00ff00ff00ff)))
            word := or(and(shr(16, word), 0x0000ffff0000ffff), shl(16, and(word, 0x0000ffff0000ffff)))
            let reached := lt(and(word, 0xffffffff), shr(224, limit))
            let inTime := lt(shr(32, word), add(timestamp(), add(MAX_AHEAD_SECONDS, 1)))
            plain := and(and(claims, reached), inTime)
        }
    }
}
