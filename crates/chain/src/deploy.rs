//! Deployment of the contract, from the artifact in `contracts/generated`.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolValue;
use medshare_protocol::typed::{DOMAIN_NAME, DOMAIN_VERSION, Domain};

use crate::chain::chain_id;
use crate::config::ChainConfig;
use crate::rpc::Rpc;
use crate::send::{Outgoing, send};
use crate::{Chain, ChainError};

/// What forge built; CI fails when it is not what forge builds now.
const ARTIFACT: &str = include_str!("../../../contracts/generated/MedShare.json");

#[derive(serde::Deserialize)]
struct Artifact {
    bytecode: Bytes,
    /// The code at the contract's address, with zeros where the constructor writes.
    runtime: Bytes,
    /// Where it writes 32 bytes each: what its EIP-712 domain is made of.
    immutables: Vec<usize>,
}

impl Chain {
    /// Deploys the contract with `signer` as governance and returns its address. `work_limit_bits`: compact form of
    /// the easiest target that a block may claim (`0x1f0fffff`: about 4,096 hashes).
    ///
    /// # Errors
    /// As for every write.
    pub async fn deploy(
        rpc_url: &str,
        signer: PrivateKeySigner,
        work_limit_bits: u32,
    ) -> Result<Address, ChainError> {
        let config = ChainConfig::new(rpc_url, Address::ZERO);
        let rpc = Rpc::open(&config)?;
        let arguments = (signer.address(), work_limit_bits).abi_encode_params();
        let data = [bytecode().as_ref(), &arguments].concat().into();
        let outgoing = Outgoing {
            function: "constructor",
            to: None,
            data,
            spare_gas: 0,
        };
        let receipt = send(&rpc, chain_id(&rpc).await?, &signer, &outgoing).await?;
        receipt
            .contract_address
            .ok_or_else(|| ChainError::Malformed {
                what: "a deployment's receipt",
                reason: "it names no contract".into(),
            })
    }
}

/// Whether this is the code of the MedShare contract that this program was built with, as its constructor leaves it in the
/// deployment with this domain.
#[must_use]
pub fn is_medshare_code(code: &[u8], domain: &Domain) -> bool {
    let (artifact, constructed) = (artifact(), constructed(domain));
    let mut bare = code.to_vec();
    for start in artifact.immutables {
        match bare.get_mut(start..start + 32) {
            Some(written) if constructed.iter().any(|value| *value == *written) => written.fill(0),
            _ => return false,
        }
    }
    bare == artifact.runtime
}

/// What the constructor writes into the code (OpenZeppelin's `EIP712`).
fn constructed(domain: &Domain) -> [B256; 7] {
    [
        domain.separator(),
        U256::from(domain.chain_id()).into(),
        domain.contract().into_word(),
        keccak256(DOMAIN_NAME),
        keccak256(DOMAIN_VERSION),
        short_string(DOMAIN_NAME),
        short_string(DOMAIN_VERSION),
    ]
}

/// OpenZeppelin's `ShortString`: the text from the left, its length in the last byte.
fn short_string(text: &str) -> B256 {
    let mut word = B256::right_padding_from(text.as_bytes());
    word[31] = u8::try_from(text.len()).expect("our names are short");
    word
}

fn artifact() -> Artifact {
    serde_json::from_str(ARTIFACT).expect("the artifact is checked when it is committed")
}

fn bytecode() -> Bytes {
    artifact().bytecode
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_artifact_has_bytecode() {
        assert!(bytecode().len() > 1_000);
    }
}
