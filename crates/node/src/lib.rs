//! The custodian's side of MeDShare: one process beside the database (architecture: P2 to P5, P7 to P9).
//!
//! | module | what | paper |
//! |---|---|---|
//! | [`service`] | the node as its callers see it: [`Node`] | P2 |
//! | [`authenticator`] | signatures, registration, suspension, replay | P4 |
//! | [`processing`] | a request's life: the form's steps, each a database transaction | P5, P11, P12 |
//! | [`contract_generator`] | the usage contract and its fresh key pair | P14 |
//! | [`ledger`] | mines, issues and anchors blocks | P8, P20, P21 |
//! | [`permissions`] | reports, leases, violations, receipts | P7, P17, P18, P19 |
//! | [`desk`] | what the custodian's people look at and decide: findings, reports, outputs | P18, P19 |
//! | [`trigger`] | the chain's events, turned into local rows | P3 |
//! | [`store`], [`secrets`] | SQLite; secrets at rest | |
//! | [`descriptor`], [`source`], [`release`] | what is offered, where it comes from, its anonymised snapshot | P9, P12 |
//! | [`verifier`], [`peer`] | being, and asking, the second node | P13 |
//! | [`forensics`] | the node's check of its own store | P23 |
//! | [`query`], [`server`], [`config`] | the HTTP interface and what an operator sets | P2 |

pub mod authenticator;
pub mod clock;
pub mod config;
pub mod contract_generator;
pub mod descriptor;
pub mod desk;
mod disclosure;
pub mod error;
pub mod forensics;
pub mod ledger;
pub mod node_key;
mod outputs;
pub mod peer;
pub mod permissions;
pub mod processing;
pub mod query;
pub mod release;
mod running;
pub mod secrets;
pub mod server;
pub mod service;
pub mod source;
pub mod store;
pub mod telemetry;
pub mod trigger;
pub mod verifier;
pub mod vouching;
mod waiters;

pub use error::NodeError;
pub use service::{ContainerFile, Limits, Node, NodeParts};
pub use vouching::Vouching;
