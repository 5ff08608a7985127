// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a transaction costs for its data alone (EIP-2028, EIP-7623).
library Gas {
    uint256 internal constant BASE = 21_000;

    /// @notice What the data costs on top of the base, before the first instruction.
    function data(bytes memory input) internal pure returns (uint256) {
        return 4 * tokens(input);
    }

    /// @notice The least that a transaction with this data costs, whatever it does.
    function floor(bytes memory input) internal pure returns (uint256) {
        return BASE + 10 * tokens(input);
    }

    /// @notice A byte of zero is one token, any other four.
    function tokens(bytes memory input) private pure returns (uint256 count) {
        for (uint256 i = 0; i < input.length; i++) {
            count += input[i] == 0 ? 1 : 4;
        }
    }
}
