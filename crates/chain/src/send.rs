//! Sending a transaction and waiting until it is mined.
//!
//! The nonce is decided under a lock of the sending account and always asked from the chain: nothing is remembered that
//! a reorganisation, a restart or a dropped transaction could make wrong.

mod refusal;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{BlockId, TransactionReceipt, TransactionRequest};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use tokio::time::{Instant, sleep};

use crate::ChainError;
use crate::revert::ContractError;
use crate::rpc::{Failure, Rpc};
use refusal::{Refusal, says_no_funds};

/// How often a nonce or fee that was overtaken is decided again; each time the ceiling of the fee doubles.
const SEND_ATTEMPTS: u32 = 8;
/// Added to the estimate of gas: the state may change before the transaction is mined, and where the contract catches
/// an inner call's failure (a batch) the estimate may be too tight for that call (EIP-150 holds 1/64 back).
const GAS_MARGIN_PERCENT: u64 = 25;
/// The same, for small transactions.
const GAS_MARGIN: u64 = 30_000;

/// What is sent: a call of the contract at `to`, or nothing there: a deployment.
pub(crate) struct Outgoing {
    pub(crate) function: &'static str,
    pub(crate) to: Option<Address>,
    pub(crate) data: Bytes,
    /// Gas beyond the estimate that others' code may spend when it is mined. What is not used comes back.
    pub(crate) spare_gas: u64,
}

impl Outgoing {
    fn request(&self, sender: Address) -> TransactionRequest {
        let request = TransactionRequest::default()
            .from(sender)
            .input(self.data.clone().into());
        TransactionRequest {
            to: Some(self.kind()),
            ..request
        }
    }

    fn kind(&self) -> TxKind {
        self.to.map_or(TxKind::Create, TxKind::Call)
    }
}

/// Sends and waits for the receipt. An error of kind `Reverted` or `NoFunds` means that nothing was changed.
pub(crate) async fn send(
    rpc: &Rpc,
    chain_id: u64,
    signer: &PrivateKeySigner,
    outgoing: &Outgoing,
) -> Result<TransactionReceipt, ChainError> {
    let request = outgoing.request(signer.address());
    // Of the newest block, said in so many words: by default some endpoints take the pending one.
    let estimate = rpc
        .read("eth_estimateGas", || {
            rpc.provider
                .estimate_gas(request.clone())
                .block(BlockId::latest())
        })
        .await
        .map_err(|failure| explain(failure, outgoing.function, signer.address()))?;
    let gas_limit =
        estimate + estimate * GAS_MARGIN_PERCENT / 100 + GAS_MARGIN + outgoing.spare_gas;
    let hash = submit(rpc, chain_id, signer, outgoing, gas_limit).await?;
    tracing::debug!(function = outgoing.function, %hash, "transaction sent");
    let receipt = wait_for_receipt(rpc, hash).await?;
    if receipt.status() {
        return Ok(receipt);
    }
    Err(why_it_failed(rpc, request, &receipt, gas_limit, outgoing.function).await)
}

/// Puts the transaction into the chain's pool, once, and returns its hash.
async fn submit(
    rpc: &Rpc,
    chain_id: u64,
    signer: &PrivateKeySigner,
    outgoing: &Outgoing,
    gas_limit: u64,
) -> Result<B256, ChainError> {
    let lock = account_lock(chain_id, signer.address());
    let _turn = lock.lock().await;
    let mut attempt = 1;
    loop {
        let mut transaction = price(rpc, chain_id, signer.address(), outgoing, gas_limit).await?;
        // Only the ceiling: what is paid is the block's base fee (EIP-1559).
        transaction.max_fee_per_gas <<= attempt - 1;
        let envelope = sign(signer, transaction)?;
        let hash = *envelope.tx_hash();
        let raw = envelope.encoded_2718();
        let sent = rpc
            .once(
                "eth_sendRawTransaction",
                rpc.provider.send_raw_transaction(&raw),
            )
            .await;
        let Err(failure) = sent else { return Ok(hash) };
        match Refusal::of(&failure.error) {
            Refusal::KnownAlready => return Ok(hash),
            Refusal::Overtaken if attempt < SEND_ATTEMPTS => {
                attempt += 1;
                sleep(rpc.poll).await;
            }
            // The answer was lost, perhaps not the transaction: sending another could do everything twice.
            Refusal::Unanswered if is_in_the_pool(rpc, hash).await => return Ok(hash),
            _ => return Err(explain(failure, outgoing.function, signer.address())),
        }
    }
}

/// Nonce and fees as of now.
async fn price(
    rpc: &Rpc,
    chain_id: u64,
    sender: Address,
    outgoing: &Outgoing,
    gas_limit: u64,
) -> Result<TxEip1559, ChainError> {
    let nonce = rpc.read("eth_getTransactionCount", || {
        rpc.provider
            .get_transaction_count(sender)
            .block_id(BlockId::pending())
    });
    let fees = rpc.read("eth_feeHistory", || rpc.provider.estimate_eip1559_fees());
    let (nonce, fees) =
        tokio::try_join!(nonce, fees).map_err(|failure| failure.of(outgoing.function))?;
    Ok(TxEip1559 {
        chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas: fees.max_fee_per_gas,
        max_priority_fee_per_gas: fees.max_priority_fee_per_gas,
        to: outgoing.kind(),
        value: U256::ZERO,
        access_list: Default::default(),
        input: outgoing.data.clone(),
    })
}

fn sign(signer: &PrivateKeySigner, transaction: TxEip1559) -> Result<TxEnvelope, ChainError> {
    let signature = signer
        .sign_hash_sync(&transaction.signature_hash())
        .map_err(|error| ChainError::Signing(error.to_string()))?;
    Ok(transaction.into_signed(signature).into())
}

fn explain(failure: Failure, function: &'static str, sender: Address) -> ChainError {
    match failure.of(function) {
        ChainError::Rpc { message, .. } if says_no_funds(&message) => {
            ChainError::NoFunds { sender }
        }
        error => error,
    }
}

async fn is_in_the_pool(rpc: &Rpc, hash: B256) -> bool {
    rpc.read("eth_getTransactionByHash", || {
        rpc.provider.get_transaction_by_hash(hash)
    })
    .await
    .is_ok_and(|found| found.is_some())
}

async fn wait_for_receipt(rpc: &Rpc, hash: B256) -> Result<TransactionReceipt, ChainError> {
    let give_up = Instant::now() + rpc.receipt_timeout;
    loop {
        let asked = rpc
            .once(
                "eth_getTransactionReceipt",
                rpc.provider.get_transaction_receipt(hash),
            )
            .await;
        match asked {
            Ok(Some(receipt)) if receipt.block_number.is_some() => return Ok(receipt),
            // The endpoint may come back before the time is over: the transaction is out already.
            Err(failure) if !failure.error.is_transient() => return Err(failure.error),
            _ if Instant::now() >= give_up => {
                let waited_ms = u64::try_from(rpc.receipt_timeout.as_millis()).unwrap_or(u64::MAX);
                return Err(ChainError::NotMined { hash, waited_ms });
            }
            _ => sleep(rpc.poll).await,
        }
    }
}

/// Asks the same again at the block in which it failed, because a receipt does not tell the reason.
async fn why_it_failed(
    rpc: &Rpc,
    request: TransactionRequest,
    receipt: &TransactionReceipt,
    gas_limit: u64,
    function: &'static str,
) -> ChainError {
    let block = receipt
        .block_number
        .map_or_else(BlockId::latest, BlockId::number);
    let again = rpc
        .read("eth_call", || {
            rpc.provider.call(request.clone()).block(block)
        })
        .await;
    let error = match again.map_err(|failure| failure.of(function)) {
        Err(ChainError::Reverted { error, .. }) => error,
        _ if receipt.gas_used == gas_limit => Box::new(ContractError::Text(
            "the transaction ran out of gas: send it again".into(),
        )),
        _ => Box::new(ContractError::Silent),
    };
    ChainError::Reverted { function, error }
}

/// One lock for each sending account in this process, shared by all connections.
fn account_lock(chain_id: u64, sender: Address) -> Arc<tokio::sync::Mutex<()>> {
    type Locks = Mutex<HashMap<(u64, Address), Arc<tokio::sync::Mutex<()>>>>;
    static LOCKS: LazyLock<Locks> = LazyLock::new(Locks::default);
    let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    locks.entry((chain_id, sender)).or_default().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str) -> ChainError {
        ChainError::Rpc {
            endpoint: "http://localhost".into(),
            method: "eth_sendRawTransaction",
            code: -32003,
            message: message.into(),
        }
    }

    #[test]
    fn no_funds_is_told_with_the_account() {
        let sender = Address::repeat_byte(7);
        for words in [
            "Insufficient funds for gas * price + value",
            "Upfront cost exceeds account balance",
            "Sender doesn't have enough funds to send tx. The max upfront cost is: 1 and the sender's balance is: 0.",
        ] {
            let failure = Failure {
                error: refused(words),
                revert: None,
            };
            let error = explain(failure, "issue", sender);
            assert!(
                matches!(error, ChainError::NoFunds { sender: poor } if poor == sender),
                "{words}"
            );
        }
    }
}
