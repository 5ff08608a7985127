// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Mines entries against an easy target, written apart from contracts/libraries/Header.sol.
library Miner {
    /// @notice Every second hash or so reaches this target (Bitcoin's regtest).
    uint32 internal constant EASY = 0x207fffff;
    /// @notice No hash at all reaches it in a test: one in 2^32.
    uint32 internal constant HARD = 0x1d00ffff;

    struct Block {
        uint32 version;
        bytes32 previous;
        bytes32 root;
        uint32 time;
        uint32 bits;
        bytes32 leaf;
    }

    function mine(Block memory block_) internal pure returns (bytes memory entry, bytes32 hash) {
        return mineFrom(block_, 0);
    }

    /// @notice As `mine`, with the nonces from `nonce` on.
    function mineFrom(Block memory block_, uint32 nonce) internal pure returns (bytes memory entry, bytes32 hash) {
        for (;; nonce++) {
            hash = hashOf(block_, nonce);
            // In internal byte order the last byte is the most significant one; EASY wants its top bit clear.
            if (uint8(hash[31]) < 0x7f) return (entryOf(block_, nonce), hash);
        }
    }

    /// @notice An entry that fails even the easy target.
    function mineNothing(Block memory block_) internal pure returns (bytes memory entry, bytes32 hash) {
        for (uint32 nonce = 0;; nonce++) {
            hash = hashOf(block_, nonce);
            if (uint8(hash[31]) >= 0x80) return (entryOf(block_, nonce), hash);
        }
    }

    function hashOf(Block memory block_, uint32 nonce) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(sha256(headerOf(block_, nonce))));
    }

    function headerOf(Block memory block_, uint32 nonce) internal pure returns (bytes memory) {
        bytes memory end = abi.encodePacked(little(block_.time), little(block_.bits), little(nonce));
        return abi.encodePacked(little(block_.version), block_.previous, block_.root, end);
    }

    function entryOf(Block memory block_, uint32 nonce) internal pure returns (bytes memory) {
        bytes memory end = abi.encodePacked(little(block_.time), little(block_.bits), little(nonce));
        return abi.encodePacked(little(block_.version), block_.root, end, block_.leaf);
    }

    function little(uint32 number) internal pure returns (bytes memory) {
        // Each cast keeps one byte, on purpose.
        // forge-lint: disable-next-line(unsafe-typecast)
        return abi.encodePacked(uint8(number), uint8(number >> 8), uint8(number >> 16), uint8(number >> 24));
    }
}
