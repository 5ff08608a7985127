//! What the parties of MeDShare must agree on, byte for byte. `SPEC.md` beside this crate is the text; this is the code.
//!
//! Pure: no I/O, no clock; time and randomness come in as arguments (but for key generation, which asks the operating
//! system).
//!
//! | module | what | paper |
//! |---|---|---|
//! | [`id`], [`digest`] | names of hashes, sha256d | P22 |
//! | [`typed`] | EIP-712 messages: request, usage, validation, report, receipt | P4 |
//! | [`usage`] | the usage contract: actions, verdicts, states | P6, P14 |
//! | [`purpose`] | purpose codes | P20 |
//! | [`form`] | the form and its digest | P11 |
//! | [`certificate`] | what the second node measured and signed | P13 |
//! | [`seal`], [`package`] | sealing, key schedule, the container | P10, P15, P16 |
//! | [`report`] | what a report says in private | P17, P18 |
//! | [`output`] | outputs that are held back for the custodian's release | P18 |
//! | [`filter`], [`wire`] | which rows are asked for; JSON over HTTP | P2 |
//! | [`header`], [`merkle`], [`origin`] | 80-byte headers and their work, RFC 6962 log, where chains begin | P22 |
//! | [`block`] | parent blocks and side-blocks | P20, P21 |
//! | [`chain_verifier`] | whole chains, fault by fault | P23 |
//! | [`proof`] | that a block is in a chain, that a chain only grew | P8, P22 |

pub mod block;
mod cbor;
pub mod certificate;
pub mod chain_verifier;
pub mod digest;
pub mod filter;
pub mod form;
pub mod header;
pub mod id;
pub mod merkle;
pub mod origin;
pub mod output;
pub mod package;
pub mod proof;
pub mod purpose;
pub mod report;
pub mod seal;
pub mod typed;
pub mod usage;
pub mod wire;
