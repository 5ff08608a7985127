//! What the contract held at the EVM block.

use alloy_primitives::keccak256;
use medshare_chain::is_medshare_code;

use super::Assumption::{Algorithms, Contract, EvmBlock, UnknownCode};
use super::{Examination, Held};
use crate::times::rfc3339;

const CONTRACT: &str = "contract.json";
const WALLET: &str = "wallet.json";
const CODE: &str = "code.hex";

impl Examination<'_> {
    /// Proves storage and code; without them nothing else can be.
    pub(super) fn contract(&mut self) -> Option<Held> {
        let (subject, proof) = (self.evidence.subject, &self.evidence.contract);
        if !self.same(CONTRACT, "the contract", proof.contract, subject.contract) {
            return None;
        }
        let storage = match proof.verify() {
            Ok(storage) => storage,
            Err(error) => {
                self.flaw(CONTRACT, error);
                return None;
            }
        };
        let read = || {
            let status = storage.package(subject.package)?;
            Ok((storage.thread_head(status.requestor)?, status))
        };
        let (thread, status) = match read() {
            Ok(read) => read,
            Err(error) => {
                let error: medshare_chain::StorageProofError = error;
                self.flaw(CONTRACT, error);
                return None;
            }
        };
        let wallet = storage.has_code(status.requestor, &self.evidence.wallet);
        let wallet_has_code = wallet.unwrap_or_else(|error| {
            self.flaw(WALLET, error);
            false
        });
        let block = storage.block;
        self.shows(
            CONTRACT,
            &[EvmBlock, Contract, Algorithms],
            format!(
                "in the EVM block {} ({}) the package was {:?}: requestor {}, custodian {}, dataset {}, {} by this \
                 requestor on this dataset",
                block.number,
                rfc3339(block.time.saturating_mul(1_000)),
                status.state,
                status.requestor,
                status.custodian,
                status.dataset,
                super::counted(status.violations as usize, "violation"),
            ),
        );
        let held = Held {
            storage,
            status,
            thread,
            wallet_has_code,
        };
        self.code(&held);
        Some(held)
    }

    fn code(&mut self, held: &Held) {
        let code = &self.evidence.code;
        let (found, expected) = (keccak256(code), held.storage.code_hash);
        if !self.same(CODE, "the hash of the code", found, expected) {
            return;
        }
        if is_medshare_code(code, &self.domain) {
            self.shows(
                CODE,
                &[EvmBlock, Algorithms],
                "the code at the contract's address is the MedShare contract that this program was built with",
            );
        } else {
            self.shows(
                CODE,
                &[EvmBlock, UnknownCode, Algorithms],
                format!("the code at the contract's address has the hash {expected}"),
            );
        }
    }
}
