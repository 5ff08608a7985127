//! The chain crate against a real EVM: each test starts its own.
#![allow(clippy::unwrap_used, missing_docs)]

mod connection;
mod development_chain;
mod events;
mod faults;
mod hardhat;
mod keystores;
mod packages;
mod participants;
mod proofs;
mod second_evm;
mod sending;
mod wallets;
mod world;
