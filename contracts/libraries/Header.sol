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
        uint32 bits; // compact form
        uint256 target;
    }

    /// @notice How far a block's time may run ahead of the chain's clock.
    uint256 internal constant MAX_AHEAD_SECONDS = 120;

    /// @notice Double SHA-256, bytes in the digest's own ("internal") order.
    function sha256d(bytes memory data) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(sha256(data)));
    }

    /// @notice Checks whole entries, each on top of the one before, the first on top of `head`.
    /// @return The new head, where all is well.
    /// @return fault The error of the first bad entry, ABI-encoded; empty when all is well.
    function extend(bytes calldata entries, bytes32 head, Limit memory limit)
        internal
        view
        returns (bytes32, bytes memory fault)
    {
        // Blocks mostly claim the limit: its target is known.
        (uint32 bits, uint256 claimed) = (limit.bits, limit.target);
        uint256 buffer = scratch();
        uint256 at = offsetOf(entries);
        // Calldata is far smaller than what could overflow.
        unchecked {
            for (uint256 end = at + entries.length; at < end; at += ENTRY_BYTES) {
                head = hashOn(at, head, buffer);
                (uint256 time, uint32 itsBits) = timeAndBits(at);
                if (itsBits != bits) (bits, claimed) = (itsBits, claimable(itsBits, limit.target));
                if (asNumber(head) > claimed) {
                    return (0, abi.encodeWithSelector(IMedShareErrors.WorkTooLow.selector, head, bits));
                }
                if (time > block.timestamp + MAX_AHEAD_SECONDS) {
                    return
                        (0, abi.encodeWithSelector(IMedShareErrors.BlockFromTheFuture.selector, time, block.timestamp));
                }
            }
        }
        return (head, fault);
    }

    /// @notice The leaf hash behind an entry's header.
    function leafOf(bytes calldata entry) internal pure returns (bytes32) {
        return bytes32(entry[48:80]);
    }

    /// @notice The time, s since the Unix epoch, and the compact target that the entry at `at` in the calldata claims.
    function timeAndBits(uint256 at) internal pure returns (uint256 time, uint32 bits) {
        uint256 both; // eight bytes, one read: time in the upper half, bits in the lower
        assembly ("memory-safe") {
            both := shr(192, calldataload(add(at, 36)))
        }
        both = ((both & 0xff00ff00ff00ff00) >> 8) | ((both & 0x00ff00ff00ff00ff) << 8);
        both = ((both & 0xffff0000ffff0000) >> 16) | ((both & 0x0000ffff0000ffff) << 16);
        // The cast keeps the lower half, on purpose.
        // forge-lint: disable-next-line(unsafe-typecast)
        return (both >> 32, uint32(both));
    }

    /// @dev The target of a compact form where it may be claimed, else zero, which no hash reaches that was ever seen.
    function claimable(uint32 bits, uint256 easiest) private pure returns (uint256 claimed) {
        claimed = target(bits);
        if (claimed > easiest) return 0;
    }

    /// @notice The target of a compact form, as Bitcoin decodes it; zero when negative, too large, or zero.
    function target(uint32 bits) internal pure returns (uint256) {
        uint256 size = bits >> 24;
        uint256 word = bits & 0x7fffff;
        if (bits & 0x800000 != 0) return 0;
        if (size <= 3) return word >> (8 * (3 - size));
        bool overflows = size > 34 || (size > 33 && word > 0xff) || (size > 32 && word > 0xffff);
        return overflows ? 0 : word << (8 * (size - 3));
    }

    /// @notice A hash as the number that Bitcoin compares with the target: its bytes are little-endian.
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

    /// @dev The first `count` entries, and what is behind them.
    function split(bytes calldata entries, uint256 count)
        internal
        pure
        returns (bytes calldata first, bytes calldata rest)
    {
        uint256 length;
        unchecked {
            length = count * ENTRY_BYTES; // a count has 32 bits
        }
        if (length > entries.length) revert IMedShareErrors.BadEntryLength(entries.length);
        assembly ("memory-safe") {
            first.offset := entries.offset
            first.length := length
            rest.offset := add(entries.offset, length)
            rest.length := sub(entries.length, length)
        }
    }

    function offsetOf(bytes calldata data) internal pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := data.offset
        }
    }

    /// @dev Memory for one header, behind everything allocated so far; nothing is allocated while it is in use.
    function scratch() internal pure returns (uint256 buffer) {
        assembly ("memory-safe") {
            buffer := mload(0x40)
        }
    }

    /// @dev Double SHA-256 of the header of the entry at `at` in the calldata, on top of `previous`.
    function hashOn(uint256 at, bytes32 previous, uint256 buffer) internal view returns (bytes32 hash) {
        lay(at, previous, buffer);
        // A precompile that fails (out of gas) or is not there reverts: neither may look like a hash.
        assembly ("memory-safe") {
            let done := staticcall(gas(), 2, buffer, HEADER_BYTES, 0x00, 0x20)
            done := and(staticcall(gas(), 2, 0x00, 0x20, 0x00, 0x20), done)
            if iszero(and(done, eq(returndatasize(), 0x20))) { revert(0, 0) }
            hash := mload(0x00)
        }
    }

    /// @dev Writes the header of the entry at `at` in the calldata, on top of `previous`, to memory at `buffer`.
    function lay(uint256 at, bytes32 previous, uint256 buffer) internal pure {
        assembly ("memory-safe") {
            calldatacopy(buffer, at, 4) // version
            mstore(add(buffer, 4), previous)
            calldatacopy(add(buffer, 36), add(at, 4), 44) // merkle root, time, bits, nonce
        }
    }
}
