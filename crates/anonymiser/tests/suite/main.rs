//! The crate as its users see it: against brute force on small tables, and against what ARX
//! found on real records.
#![allow(clippy::unwrap_used)]

mod brute_force;
mod properties;
mod reference;
mod robustness;
mod rules;
mod size;
mod transformations;
