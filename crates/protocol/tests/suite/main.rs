//! The ledger against vectors made elsewhere, against another RFC 6962 library, and against everything a careless disk
//! or a bad node may do to it.
#![allow(clippy::unwrap_used)]

mod block;
mod chain;
mod fuzzed;
mod header;
mod ledger;
mod merkle;
mod package;
mod proof;
mod refused;
mod spec;
mod vectors;
mod wycheproof;
