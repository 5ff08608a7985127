//! The node on real parts: anvil, the deployed contract, SQLite files, two nodes that speak HTTP to each other.
#![allow(clippy::unwrap_used, missing_docs)]

mod blocks;
mod cluster;
mod copied;
mod dossier;
mod edges_http;
mod edges_open;
mod edges_peers;
mod edges_real_records;
mod faults;
mod forensics;
mod lying;
mod outputs;
mod proofs;
mod reports;
mod requestor;
mod requests;
mod stopping;
