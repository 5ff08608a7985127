//! What the compiler makes of `contracts/interfaces/IMedShare.sol`, and the standards that are asked beside it.
//! Stays inside this crate: everything public speaks the protocol's types.

#![allow(missing_docs, clippy::all, clippy::pedantic)]

use alloy::sol;

sol!("../../contracts/interfaces/IMedShare.sol");

sol! {
    /// OpenZeppelin's AccessControl, which guards the governance functions.
    interface AccessControl {
        error AccessControlUnauthorizedAccount(address account, bytes32 neededRole);
        error AccessControlBadConfirmation();
    }

    /// ERC-5267: a contract tells its EIP-712 domain.
    interface Erc5267 {
        function eip712Domain() external view returns (
            bytes1 fields, string name, string version, uint256 chainId, address verifyingContract,
            bytes32 salt, uint256[] extensions
        );
    }

    /// EIP-1271: a contract wallet judges a signature.
    interface Erc1271 {
        function isValidSignature(bytes32 hash, bytes signature) external view returns (bytes4 magic);
    }
}
