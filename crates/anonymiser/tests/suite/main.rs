//! The crate as its users see it: against brute force on small tables, and against what ARX
//! found on real records.
#![allow(clippy::unwrap_used)]

mod brute_force;
mod effort;
mod mondrian;
mod properties;
mod records;
mod reference;
mod size;
mod threads;
