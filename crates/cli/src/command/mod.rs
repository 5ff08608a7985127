//! One file per command.

pub mod act;
pub mod anonymise;
pub mod audit;
pub mod bench;
pub mod completions;
pub mod custodian;
pub mod datasets;
pub mod demo;
pub mod deploy;
pub mod devnet;
pub mod download;
pub mod evidence;
pub mod give_back;
pub mod ledger;
pub mod node;
pub mod open;
pub mod outputs;
pub mod packages;
pub mod register;
pub mod request;
pub mod run;
pub mod status;
pub mod verify;
pub mod wallet;
