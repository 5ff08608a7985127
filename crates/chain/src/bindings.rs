//! What the compiler makes of `contracts/interfaces/` (`build.rs` joins its files), and the standards that are asked
//! beside it.
//! Stays inside this crate: everything public speaks the protocol's types.

#![allow(missing_docs, clippy::all, clippy::pedantic)]

use alloy::sol;

include!(concat!(env!("OUT_DIR"), "/interface.rs"));

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use alloy::json_abi::JsonAbi;
    use alloy::sol_types::SolInterface;

    use super::{IMedShare, IMedShareErrors, IMedShareEvents};

    #[derive(serde::Deserialize)]
    struct Artifact {
        abi: JsonAbi,
    }

    /// The interface's text and what is deployed are two files: here they meet.
    #[test]
    fn what_is_bound_is_what_is_deployed() {
        let text = include_str!("../../../contracts/generated/MedShare.json");
        let abi = serde_json::from_str::<Artifact>(text)
            .expect("an artifact")
            .abi;
        let functions: BTreeSet<_> = abi.functions().map(|it| it.selector().0).collect();
        let errors: BTreeSet<_> = abi.errors().map(|it| it.selector().0).collect();
        let events: BTreeSet<_> = abi.events().map(|it| it.selector().0).collect();
        for selector in IMedShare::IMedShareCalls::selectors() {
            assert!(functions.contains(&selector), "{selector:02x?}");
        }
        for selector in IMedShareErrors::IMedShareErrorsErrors::selectors() {
            assert!(errors.contains(&selector), "{selector:02x?}");
        }
        for selector in IMedShareEvents::IMedShareEventsEvents::SELECTORS {
            assert!(events.contains(selector), "{selector:02x?}");
        }
    }
}
