//! medshare
#[allow(dead_code)]
mod synth;
fn main() {}
