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
        "{:6.2} s {:+6.2}  {mark} {} [{}] \u{2014} {}",
        step.at_seconds,
        step.took_seconds,
        step.title,
        step.proves,
        shorten(&step.seen)
    )
}

/// Hashes and addresses by their beginning: enough for people, and a step stays a line. JSON has them whole.
fn shorten(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(position) = rest.find("0x") {
        let (before, from) = rest.split_at(position);
        let digits = from[2..].bytes().take_while(u8::is_ascii_hexdigit).count();
        short.push_str(before);
        if digits >= 40 {
            short.push_str(&from[..10]);
            short.push('\u{2026}');
        } else {
            short.push_str(&from[..2 + digits]);
        }
        rest = &from[2 + digits..];
    }
    short + rest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_step_that_fails_is_told_and_ends_the_story() {
        let mut story = Story::new(true);
        story
            .step("one", "P1", async { Ok(((), "seen".to_owned())) })
            .await
            .unwrap();
        let failed: Result<()> = story
            .step("two", "P2", async { anyhow::bail!("not so") })
            .await;
        assert!(failed.is_err_and(|error| error.to_string() == "not so"));
        let outcomes: Vec<_> = story
            .steps()
            .iter()
            .map(|step| (step.passed, step.seen.as_str()))
            .collect();
        assert_eq!(outcomes, [(true, "seen"), (false, "not so")]);
    }

    #[test]
    fn only_long_numbers_are_shortened() {
        let id = "0x0123456789abcdef0123456789abcdef01234567";
        assert_eq!(
            shorten(&format!("a {id}, {id}: 0x12 0x")),
            "a 0x01234567\u{2026}, 0x01234567\u{2026}: 0x12 0x"
        );
    }
}
