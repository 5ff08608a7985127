//! What people and programs see: lines, JSON, progress, and one sentence when something fails.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use medshare_chain::TxReceipt;
use serde::Serialize;

/// What is done sooner needs no progress bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes a line to stdout.
///
/// # Errors
/// When stdout is closed.
pub fn line(text: impl Display) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()?;
    Ok(())
}

/// Tells people something beside the result, on stderr: `$(medshare …)` takes the result alone.
pub fn note(text: impl Display) {
    // Without a reader there is nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

/// `1 block`, `2 blocks`.
pub fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Writes a value as indented JSON.
///
/// # Errors
/// When stdout is closed.
pub fn json(value: &impl Serialize) -> Result<()> {
    line(serde_json::to_string_pretty(value)?)
}

/// JSON for programs, a line for people.
///
/// # Errors
/// When stdout is closed.
pub fn either(as_json: bool, value: &impl Serialize, text: impl Display) -> Result<()> {
    if as_json { json(value) } else { line(text) }
}

/// Says that a transaction did what was asked for.
///
/// # Errors
/// When stdout is closed.
pub fn receipt(as_json: bool, done: impl Display, receipt: &TxReceipt) -> Result<()> {
    #[derive(Serialize)]
    struct Sent {
        done: String,
        transaction: String,
        block: u64,
        gas_used: u64,
    }
    let sent = Sent {
        done: done.to_string(),
        transaction: format!("{:?}", receipt.hash),
        block: receipt.block,
        gas_used: receipt.gas_used,
    };
    let text = format!("{done} (transaction {:?})", receipt.hash);
    either(as_json, &sent, text)
}

/// The exit code of a command that was run, when it is not 0. Nothing is said of it: the command has said what it had
/// to say.
#[derive(Debug, Clone, Copy)]
pub struct Passed(pub u8);

impl Display for Passed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the command ended with {}", self.0)
    }
}

impl std::error::Error for Passed {}

/// The error as one sentence, causes joined by colons. A reader that went away is told nothing.
pub fn failure(error: &anyhow::Error) {
    let root = error.root_cause().downcast_ref::<io::Error>();
    if root.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        return;
    }
    // Nothing is left to do when stderr is closed as well.
    let _ = writeln!(io::stderr(), "medshare: {}", sentence(error));
}

/// The chain of causes, without repeating what an error already quotes of its cause.
pub fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// A progress bar on stderr that shows itself only on a terminal, and only when it takes over a second.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: bool,
}

impl Progress {
    /// A bar of bytes.
    pub fn of_bytes() -> Self {
        Self::new("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}")
    }

    /// A line that changes.
    pub fn of_steps() -> Self {
        Self::new("{spinner} {msg} ({elapsed})")
    }

    fn new(template: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(
            ProgressStyle::with_template(template).expect("the templates above are right"),
        );
        Self {
            bar,
            started: Instant::now(),
            shown: false,
        }
    }

    /// What is being done.
    pub fn say(&mut self, text: impl Display) {
        self.show();
        self.bar.set_message(text.to_string());
    }

    /// How far it is.
    pub fn at(&mut self, done: u64, all: u64) {
        self.show();
        self.bar.set_length(all);
        self.bar.set_position(done);
    }

    fn show(&mut self) {
        if !self.shown && self.started.elapsed() > PATIENCE {
            self.shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn an_error_is_one_sentence_that_repeats_nothing() {
        let inner = Err::<(), _>(anyhow!("the file ends early"));
        let error = inner.context("cannot open x").context("x: cannot open x");
        let Err(error) = error else {
            panic!("it failed")
        };
        assert_eq!(sentence(&error), "x: cannot open x: the file ends early");
    }
}
