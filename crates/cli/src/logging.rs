//! The log, on stderr: people's eyes see results on stdout only.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

/// Overrides what is logged, in the form of `tracing` filters: `debug`, `medshare_node=debug,info`.
const VARIABLE: &str = "MEDSHARE_LOG";

/// Starts logging, once. `default`: what is logged when the environment says nothing.
///
/// # Errors
/// When the filter is not one.
pub fn start(default: &str) -> Result<()> {
    let filter = std::env::var(VARIABLE).unwrap_or_else(|_| default.to_owned());
    let parsed = EnvFilter::try_new(&filter);
    let parsed = parsed
        .with_context(|| format!("`{filter}` is no log filter: try info or medshare_node=debug"))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second call changes nothing.
    let _ = subscriber.try_init();
    Ok(())
}
