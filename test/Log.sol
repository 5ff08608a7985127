// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A log of leaf hashes as RFC 6962, 2.1 defines it: by recursion, where `Inclusion` goes upwards in a loop.
abstract contract Log {
    bytes32[] internal leaves;

    function treeRoot(uint256 from, uint256 to) internal view returns (bytes32) {
        if (to - from == 1) return leaves[from];
        uint256 split = splitOf(to - from);
        bytes32 left = treeRoot(from, from + split);
        return sha256(abi.encodePacked(bytes1(0x01), left, treeRoot(from + split, to)));
    }

    function path(uint256 index, uint256 from, uint256 to) internal view returns (bytes32[] memory whole) {
        if (to - from == 1) return whole;
        uint256 middle = from + splitOf(to - from);
        bool left = index < middle;
        bytes32[] memory inner = left ? path(index, from, middle) : path(index, middle, to);
        whole = new bytes32[](inner.length + 1);
        for (uint256 i = 0; i < inner.length; i++) {
            whole[i] = inner[i];
        }
        whole[inner.length] = left ? treeRoot(middle, to) : treeRoot(from, middle);
    }

    /// @dev The largest power of two below `size`.
    function splitOf(uint256 size) internal pure returns (uint256 split) {
        split = 1;
        while (split * 2 < size) split *= 2;
    }
}
