//! One file per command.

pub mod act;
pub mod audit;
pub mod custodian;
pub mod datasets;
pub mod demo;
pub mod deploy;
pub mod devnet;
pub mod download;
pub mod give_back;
pub mod open;
pub mod packages;
pub mod register;
pub mod request;
pub mod status;
pub mod wallet;
