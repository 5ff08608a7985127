//! The log, on stderr: people's eyes see results on stdout only.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Overrides what is logged, in the form of `tracing` filters: `debug`, `medshare_node=debug,info`.
const VARIABLE: &str = "MEDSHARE_LOG";

/// For commands: what goes wrong is said in one sentence at the end; warnings beside it only confuse. That a program has given
/// up a call which was still being answered is an error to `fuser`, and nobody else's.
pub const QUIET: &str = "error,fuser=off";

/// Starts logging, once. `default`: what is logged when the environment says nothing.
///
/// # Errors
/// When the filter is not one.
pub fn start(default: &str) -> Result<()> {
    let filter = std::env::var(VARIABLE).unwrap_or_else(|_| default.to_owned());
    let targets: Targets = filter
        .parse()
        .with_context(|| format!("`{filter}` is no log filter: try info or medshare_node=debug"))?;
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let subscriber = tracing_subscriber::registry().with(targets).with(lines);
    // A second call changes nothing.
    let _ = subscriber.try_init();
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tracing_subscriber::filter::LevelFilter;

    #[test]
    fn the_file_system_s_own_errors_are_shown_only_when_asked_for() {
        let shown = |filter: &str, target: &str| {
            let targets: Targets = filter.parse().unwrap();
            let error = LevelFilter::ERROR.into_level().unwrap();
            targets.would_enable(target, &error)
        };
        assert!(!shown(QUIET, "fuser::reply"));
        assert!(shown(QUIET, "medshare_client::agent"));
        assert!(shown("error", "fuser::reply"));
    }
}
