// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title RFC 6962 inclusion proofs (P22)
library Inclusion {
    /// @notice Longest audit path of a log of at most 2^64 leaves.
    uint256 internal constant MAX_PROOF = 64;

    /// @notice Whether the audit path leads from leaf hash `leaf` at `index` to `root` (RFC 9162, 2.1.3.2). The caller
    /// has checked that `index` is below `size`.
    function verify(bytes32 root, uint64 size, uint64 index, bytes32 leaf, bytes32[] calldata proof)
        internal
        pure
        returns (bool)
    {
        uint256 node = index;
        uint256 last = size - 1;
        bytes32 hash = leaf;
        for (uint256 i = 0; i < proof.length; i++) {
            if (last == 0) return false; // the path is longer than the tree is high
            if (node & 1 == 1 || node == last) {
                hash = parent(proof[i], hash);
                while (node & 1 == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = parent(hash, proof[i]);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && hash == root;
    }

    /// @notice What a header carries as its merkle root: sha256(root ‖ size as u64 LE), which pins the size.
    function rootInHeader(bytes32 root, uint64 size) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(root, littleEndian(size)));
    }

    function parent(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    function littleEndian(uint64 number) private pure returns (uint64) {
        number = ((number & 0xff00ff00ff00ff00) >> 8) | ((number & 0x00ff00ff00ff00ff) << 8);
        number = ((number & 0xffff0000ffff0000) >> 16) | ((number & 0x0000ffff0000ffff) << 16);
        return (number >> 32) | (number << 32);
    }
}
