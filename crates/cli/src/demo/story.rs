//! Steps, their times and what they prove.

use std::future::Future;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use crate::output;

/// A step that was taken.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What was done.
    pub title: &'static str,
    /// The paper's items that it shows.
    pub proves: &'static str,
    /// When it ended, seconds since the beginning.
    pub at_seconds: f64,
    /// How long it took, seconds.
    pub took_seconds: f64,
    /// Whether it ended as it should.
    pub passed: bool,
    /// What was seen on the chain or at a node; why it failed, if it did.
    pub seen: String,
}

/// The story so far.
pub struct Story {
    started: Instant,
    steps: Vec<Step>,
    silent: bool,
}

impl Story {
    /// A new one; a silent one prints nothing.
    pub fn new(silent: bool) -> Self {
        Self {
            started: Instant::now(),
            steps: Vec::new(),
            silent,
        }
    }

    /// Takes a step. `work` gives what later steps need, and what was seen.
    ///
    /// # Errors
    /// Those of `work`, after they were told.
    pub async fn step<T>(
        &mut self,
        title: &'static str,
        proves: &'static str,
        work: impl Future<Output = Result<(T, String)>>,
    ) -> Result<T> {
        let began = Instant::now();
        let outcome = work.await;
        let (passed, seen) = match &outcome {
            Ok((_, seen)) => (true, seen.clone()),
            Err(error) => (false, output::sentence(error)),
        };
        let took_seconds = began.elapsed().as_secs_f64();
        let step = Step {
            title,
            proves,
            at_seconds: self.seconds(),
            took_seconds,
            passed,
            seen,
        };
        if !self.silent {
            output::line(line(&step))?;
        }
        self.steps.push(step);
        outcome.map(|(value, _)| value)
    }

    /// The steps so far.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Since the beginning.
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

fn line(step: &Step) -> String {
    let mark = if step.passed { "ok    " } else { "FAILED" };
    format!(
        "{:7.2} s  {:+6.2}  {mark}  {}: {}  [{}]",
        step.at_seconds, step.took_seconds, step.title, step.seen, step.proves
    )
}
