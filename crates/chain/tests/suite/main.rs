//! The chain crate against a real EVM: each test starts its own anvil.
#![allow(clippy::unwrap_used, missing_docs)]

mod connection;
mod development_chain;
mod events;
mod faults;
mod keystores;
mod packages;
mod participants;
mod sending;
mod wallets;
mod world;
