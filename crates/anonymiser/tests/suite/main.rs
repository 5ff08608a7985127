//! The crate as its users see it: against brute force on small tables, and against what ARX
//! found on real records.
#![allow(clippy::unwrap_used)]

mod brute_force;
mod certificate;
mod content;
mod effort;
mod mondrian;
mod properties;
mod records;
mod reference;
mod robustness;
mod rules;
mod safe_harbor;
mod size;
mod threads;
mod transformations;
