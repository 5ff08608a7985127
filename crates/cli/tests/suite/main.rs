//! The binary as people use it: bad input as data, the session of the README, the demo.

#![allow(clippy::unwrap_used)]

mod anonymise;
mod cases;
mod demo;
mod devnet;
mod evidence;
mod held;
mod hostile;
mod program;
mod programs;
mod revoked;
mod run;
mod session;
