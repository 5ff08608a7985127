//! The requestor's side of MeDShare: asking for data, opening it, and doing with it what the usage contract permits.
//!
//! | module | what | paper |
//! |---|---|---|
//! | [`purse`] | the home folder: profile, keystores, packages | P10 |
//! | [`requestor`] | registers, asks, waits | P1, P2 |
//! | [`download`] | fetches a package, also in pieces | P16 |
//! | [`opening`] | from a package to open data: report first, key second | P17 |
//! | [`agent`] | open data; every action judged before it is carried out | P18, P19 |
//! | [`content`] | the data, decrypted on demand; what is written over it in an encrypted file ([`spool`]) | P17 |
//! | [`memory`] | locked memory for plaintext and keys | P17 |
//! | [`journal`] | reports sent and receipts kept | P24 |
//! | [`socket`] | one process holds the data, others act on it | P18 |
//! | `mount` | the open data as a folder (feature `mount`, Linux) | P18 |
//! | `sandbox` | a command that reads open data and carries nothing off (feature `mount`, Linux) | P18 |
//! | [`returning`] | gives the data back | P19 |
//! | [`outputs`] | outputs of the sandbox that wait for the custodian's release | P18 |
//! | [`audit`] | everything from genesis to head, verified | P8, P23, P26 |
//! | [`proof`] | proofs from any node, checked against the chain | P8, P26 |
//! | [`evidence`] | all that shows what became of a request, in one file; and what it proves | P23, P26 |
//! | [`api`] | the node's HTTP interface | P2 |
//! | [`ledger`] | what the client asks of the chain | P8 |
//! | [`clock`] | a clock that counts suspended time | P18 |
//!
//! This crate never depends on the node's: what they share is `medshare-protocol`.

pub mod agent;
pub mod api;
pub mod audit;
pub mod clock;
pub mod content;
pub mod download;
pub mod evidence;
#[cfg(all(feature = "mount", target_os = "linux"))]
mod handle;
#[cfg(all(feature = "mount", target_os = "linux"))]
mod hidden;
pub mod journal;
pub mod ledger;
pub mod memory;
#[cfg(all(feature = "mount", target_os = "linux"))]
pub mod mount;
pub mod opening;
pub mod outputs;
pub mod proof;
pub mod purse;
mod reporter;
pub mod requestor;
pub mod returning;
#[cfg(all(feature = "mount", target_os = "linux"))]
mod rows;
#[cfg(all(feature = "mount", target_os = "linux"))]
pub mod sandbox;
pub mod socket;
pub mod spool;
pub mod times;
