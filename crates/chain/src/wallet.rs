//! Signatures of wallets, checked as the contract checks them (P4).

use alloy::primitives::{Address, B256, Bytes};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::SolCall;
use medshare_protocol::typed::{Domain, recover};

use crate::bindings::Erc1271::isValidSignatureCall;
use crate::{Chain, ChainError, IssueItem};

/// Gas that a wallet may spend on one signature: `Signatures.WALLET_GAS` in the contract.
const WALLET_GAS: u64 = 500_000;
/// Gas that must be left when a wallet with code is asked: `Signatures.WALLET_GAS_NEEDED` in the contract.
const WALLET_GAS_NEEDED: u64 = WALLET_GAS + WALLET_GAS / 63 + 20_000;
/// What a call costs before the wallet's code runs.
const CALL_GAS: u64 = 21_000;
/// Most gas that a byte of the question costs (EIP-7623's floor).
const GAS_PER_BYTE: u64 = 40;
/// Longest signature that a wallet is asked about: many owners' signatures fit in.
const MAX_SIGNATURE_BYTES: usize = 16_384;

/// Gas that wallets with code may spend when these items are mined, whatever they spent when it was estimated: without
/// it one that has become expensive meanwhile would spoil a batch.
pub(crate) fn spare_gas(items: &[IssueItem], domain: &Domain) -> u64 {
    let asked = items.iter().filter(|item| {
        let digest = domain.package_id(&item.request).0;
        recover(digest, &item.request_signature) != Some(item.request.requestor)
    });
    WALLET_GAS_NEEDED * asked.count() as u64
}

impl Chain {
    /// Whether `signature` over `digest` is one of the wallet `signer`: its own key's, whatever code the account has, or
    /// else one that its code (EIP-1271, EIP-7702) agrees to with the gas that the contract gives it.
    ///
    /// # Errors
    /// When the chain cannot be asked. A wallet that fails has not signed.
    pub async fn verify_wallet_signature(
        &self,
        signer: Address,
        digest: B256,
        signature: &[u8],
    ) -> Result<bool, ChainError> {
        if signature.len() > MAX_SIGNATURE_BYTES {
            return Ok(false);
        }
        if recover(digest, signature) == Some(signer) {
            return Ok(true);
        }
        if !self.is_contract(signer).await? {
            return Ok(false);
        }
        let call = isValidSignatureCall {
            hash: digest,
            signature: Bytes::copy_from_slice(signature),
        };
        let question = call.abi_encode();
        let gas = WALLET_GAS + CALL_GAS + GAS_PER_BYTE * question.len() as u64;
        let request = TransactionRequest::default()
            .to(signer)
            .input(question.into())
            .gas_limit(gas);
        match self
            .rpc
            .read("eth_call", || self.rpc.provider.call(request.clone()))
            .await
        {
            Ok(answer) => Ok(is_yes(&answer)),
            Err(failure) if failure.revert.is_some() => Ok(false),
            // Out of gas, bad opcode: the endpoint's own words, but the wallet's failure.
            Err(failure)
                if matches!(failure.error, ChainError::Rpc { .. })
                    && !failure.error.is_transient() =>
            {
                Ok(false)
            }
            Err(failure) => Err(failure.error),
        }
    }
}

/// The magic value in one whole word, as the contract wants it.
fn is_yes(answer: &[u8]) -> bool {
    let mut yes = [0; 32];
    yes[..4].copy_from_slice(&isValidSignatureCall::SELECTOR);
    answer.get(..32) == Some(&yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_magic_word_is_a_yes() {
        let mut answer = [0; 32];
        assert!(!is_yes(&answer));
        answer[..4].copy_from_slice(&[0x16, 0x26, 0xba, 0x7e]);
        assert!(is_yes(&answer));
        assert!(!is_yes(&answer[..4]));
        answer[31] = 1;
        assert!(!is_yes(&answer));
    }
}
