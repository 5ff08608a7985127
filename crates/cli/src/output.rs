//! What people and programs see: lines, JSON, progress, and one sentence when something fails.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use medshare_chain::TxReceipt;
use medshare_client::agent::{AgentError, Lock};
use medshare_client::opening::OpenError;
use serde::Serialize;

/// Between two looks at whether it is time to show one.
const TICK: Duration = Duration::from_millis(200);
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

/// As [`either`], with JSON on one line: for commands that tell more than once.
///
/// # Errors
/// When stdout is closed.
pub fn compact(as_json: bool, value: &impl Serialize, text: impl Display) -> Result<()> {
    match as_json {
        true => line(serde_json::to_string(value)?),
        false => line(text),
    }
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

/// The exit status that says how it went wrong (README, "Exit status"): programs tell a violation, and data that was
/// closed, from all else.
pub fn status(error: &anyhow::Error) -> u8 {
    /// An action was tried that the usage contract does not permit: access is revoked as soon as the node knows.
    const VIOLATION: u8 = 3;
    /// The data is closed: the lease, a revocation, the end of its time.
    const CLOSED: u8 = 4;
    /// All else.
    const FAILED: u8 = 1;
    if let Some(Passed(code)) = error.downcast_ref() {
        return *code;
    }
    match error.chain().find_map(lock_of) {
        Some(Lock::Violation(_) | Lock::Untold(_)) => VIOLATION,
        Some(_) => CLOSED,
        None => FAILED,
    }
}

/// Why the data is closed, if that is what an error says.
fn lock_of<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Lock> {
    if let Some(AgentError::Locked(lock)) = error.downcast_ref() {
        return Some(lock);
    }
    if let Some(OpenError::Closed(lock)) = error.downcast_ref() {
        return Some(lock);
    }
    error.downcast_ref()
}

/// The error as one sentence, causes joined by colons. A reader that went away is told nothing.
pub fn failure(error: &anyhow::Error) {
    let root = error.root_cause().downcast_ref::<io::Error>();
    if root.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        return;
    }
    // Nothing is left to do when stderr is closed as well.
    let _ = writeln!(io::stderr(), "medshare: {}", sentence(error));
}

/// Says the error now, where something is still to be waited for. What comes back has its exit status, and is said no more.
pub fn failed_already(error: anyhow::Error) -> anyhow::Error {
    if error.is::<Passed>() {
        return error;
    }
    failure(&error);
    Passed(status(&error)).into()
}

/// Of a violation that was told of as [`Lock::Untold`]: what is true by now.
pub fn arrived(told: &Lock, now: &Lock) {
    if let (Lock::Untold(_), Lock::Violation(_)) = (told, now) {
        note(
            "the report of the violation has arrived: access is revoked pending the custodian's review; ask the custodian to grant access again, then open the package anew",
        );
    }
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

    /// Shows what is being done while it takes long.
    pub async fn until<T>(&mut self, text: &str, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(TICK) => {
                    self.say(text);
                    self.bar.tick();
                }
            }
        }
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

    #[test]
    fn a_violation_and_closed_data_have_an_exit_status_of_their_own() {
        let told = |error: anyhow::Error| status(&error.context("and so it ended"));
        let violation = || Lock::Violation(medshare_protocol::usage::Action::Copy);
        assert_eq!(told(violation().into()), 3);
        assert_eq!(told(AgentError::Locked(violation()).into()), 3);
        let untold = Lock::Untold(medshare_protocol::usage::Action::Copy);
        assert_eq!(told(untold.into()), 3);
        assert_eq!(told(Lock::LeaseEnded.into()), 4);
        assert_eq!(told(OpenError::Closed(Lock::Revoked).into()), 4);
        assert_eq!(told(AgentError::TooLong(1).into()), 1);
        assert_eq!(told(anyhow!("anything")), 1);
        assert_eq!(status(&Passed(9).into()), 9);
    }
}
