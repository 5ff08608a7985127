// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../interfaces/IMedShare.sol";

/// @title Bitcoin's 80-byte block header (P22)
/// @notice An entry is a header without its previous hash, which the caller holds, and with the leaf hash behind it:
/// version 4 ‖ merkle root 32 ‖ time 4 ‖ bits 4 ‖ nonce 4 ‖ leaf hash 32. Integers are little-endian.
library Header {
    uint256 internal constant ENTRY_BYTES = 80;
    uint256 internal constant HEADER_BYTES = 80;
    /// @notice How far a block's time may run ahead of the chain's clock.
    uint256 internal constant MAX_AHEAD_SECONDS = 120;

    /// @notice Double SHA-256, bytes in the digest's own ("internal") order.
    function sha256d(bytes memory data) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(sha256(data)));
    }

    /// @notice Checks one entry on top of `previous`.
    /// @param limit The easiest target that may be claimed.
    /// @return hash The new head.
    function check(bytes calldata entry, bytes32 previous, uint256 limit) internal view returns (bytes32 hash) {
        if (entry.length != ENTRY_BYTES) revert IMedShare.BadEntryLength(entry.length);
        hash = sha256d(abi.encodePacked(entry[0:4], previous, entry[4:48]));
        uint32 bits = littleEndian(bytes4(entry[40:44]));
        uint256 claimed = target(bits);
        // A target of zero, as invalid bits have, is reached by no hash that was ever seen; it is refused all the same.
        if (claimed == 0 || claimed > limit || asNumber(hash) > claimed) revert IMedShare.WorkTooLow(hash, bits);
        uint32 time = littleEndian(bytes4(entry[36:40]));
        if (time > block.timestamp + MAX_AHEAD_SECONDS) revert IMedShare.BlockFromTheFuture(time, block.timestamp);
    }

    /// @notice The leaf hash behind an entry's header.
    function leafOf(bytes calldata entry) internal pure returns (bytes32) {
        return bytes32(entry[48:80]);
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

    function littleEndian(bytes4 word) internal pure returns (uint32) {
        uint32 number = uint32(word);
        number = ((number & 0xff00ff00) >> 8) | ((number & 0x00ff00ff) << 8);
        return (number >> 16) | (number << 16);
    }
}
