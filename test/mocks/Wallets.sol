// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice A wallet with code that agrees to what its owner signed (EIP-1271).
contract Wallet {
    address private immutable OWNER;

    constructor(address owner) {
        OWNER = owner;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (address recovered,,) = ECDSA.tryRecover(digest, signature);
        return recovered == OWNER ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @notice What an account delegates to under EIP-7702: agrees to what the account's own key signed.
contract Delegate {
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (address recovered,,) = ECDSA.tryRecover(digest, signature);
        return recovered == address(this) ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @notice Spends all the gas that it is given.
contract BurningWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        while (true) {}
        return this.isValidSignature.selector;
    }
}

/// @notice Agrees, and needs nearly all of the allowance for it.
contract DearWallet {
    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        uint256 start = gasleft();
        while (start - gasleft() < 498_500) {}
        return this.isValidSignature.selector;
    }
}

/// @notice Agrees, in an answer as long as its gas allows.
contract TalkativeWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        bytes4 yes = this.isValidSignature.selector;
        assembly ("memory-safe") {
            mstore(0x00, yes)
            return(0x00, 200000)
        }
    }
}

/// @notice Answers with less than a word.
contract ShortWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        bytes4 yes = this.isValidSignature.selector;
        assembly ("memory-safe") {
            mstore(0x00, yes)
            return(0x00, 4)
        }
    }
}

/// @notice A contract that is no wallet at all.
contract NoWallet {}
