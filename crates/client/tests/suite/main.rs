//! The client against a node that plays scripts, over real HTTP on the loopback interface.
#![allow(clippy::unwrap_used, missing_docs)]

mod agent;
mod api;
mod download;
mod lease;
#[cfg(all(feature = "mount", target_os = "linux"))]
mod mount;
mod opening;
mod requestor;
mod returning;
mod socket;
mod stage;
#[cfg(all(feature = "mount", target_os = "linux"))]
mod tools;
