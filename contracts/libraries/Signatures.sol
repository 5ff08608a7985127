// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IMedShareErrors} from "../interfaces/IMedShareErrors.sol";

/// @title Signatures of wallets and of node keys (P4)
/// @notice As OpenZeppelin's SignatureChecker, but a wallet with code gets a fixed allowance of gas. With all the gas
/// there is, one requestor's wallet could spoil a batch by burning it; and with less than the allowance the sender,
/// not the signature, would decide the answer.
library Signatures {
    /// @notice What a wallet with code (EIP-1271, EIP-7702) may spend on checking one signature.
    uint256 internal constant WALLET_GAS = 500_000;
    /// @notice What must be left before it is asked: the allowance, the 1/64 that EIP-150 holds back, and a reserve.
    uint256 internal constant WALLET_GAS_NEEDED = WALLET_GAS + WALLET_GAS / 63 + 20_000;

    /// @notice Reverts unless `signer`, a wallet of any kind, signed `digest`.
    function requireWallets(address signer, bytes32 digest, bytes calldata signature) internal view {
        if (!isWallets(signer, digest, signature)) revert IMedShareErrors.BadSignature(signer);
    }

    /// @notice Reverts unless the key of address `signer` signed `digest`.
    function requireKeys(address signer, bytes32 digest, bytes calldata signature) internal pure {
        if (!isKeys(signer, digest, signature)) revert IMedShareErrors.BadSignature(signer);
    }

    /// @notice Whether `signer`, a wallet of any kind, signed `digest`. Reverts when there is too little gas to ask.
    function isWallets(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        // The account's own key first: what it has signed it cannot disown by delegating to code (EIP-7702) later.
        if (isKeys(signer, digest, signature)) return true;
        if (signer.code.length == 0) return false;
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        // With the question written, since a long signature costs gas to copy: all of the allowance is the wallet's.
        if (gasleft() < WALLET_GAS_NEEDED) revert IMedShareErrors.GasTooLow(WALLET_GAS_NEEDED);
        return walletAgrees(signer, question);
    }

    /// @notice Whether the key of address `signer` signed `digest`: 65 bytes, low s, v 27 or 28.
    function isKeys(address signer, bytes32 digest, bytes calldata signature) internal pure returns (bool) {
        // What is left out explains the failure; that it failed is enough here.
        // slither-disable-next-line unused-return
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        return failure == ECDSA.RecoverError.NoError && recovered == signer;
    }

    // A Solidity call would copy the whole answer, however long.
    // slither-disable-next-line assembly
    function walletAgrees(address wallet, bytes memory question) private view returns (bool agrees) {
        bytes4 yes = IERC1271.isValidSignature.selector;
        uint256 allowance = WALLET_GAS;
        // At most one word of the answer is copied, so a huge one costs nothing.
        assembly ("memory-safe") {
            mstore(0x00, 0)
            let success := staticcall(allowance, wallet, add(question, 0x20), mload(question), 0x00, 0x20)
            agrees := and(success, and(gt(returndatasize(), 0x1f), eq(mload(0x00), yes)))
        }
    }
}
