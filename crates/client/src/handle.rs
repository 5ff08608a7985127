//! What one open file does to the data, gathered (P18): judged and reported before the first deed of a kind, and from then
//! on in one report for many deeds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use medshare_protocol::report::ReportBody;
use medshare_protocol::usage::{Action, Actions};

use crate::agent::{Agent, AgentError};

/// At most so many ranges are told apart; of more, those that lie closest are told as one.
pub(crate) const MAX_RANGES: usize = 64;

/// One open file. Clones are the same.
#[derive(Clone)]
pub(crate) struct Handle {
    shared: Arc<Shared>,
}

struct Shared {
    agent: Agent,
    file: String,
    program: Option<String>,
    /// Locked for moments only.
    told: Mutex<Told>,
    /// Held while the first deed of a kind is judged: others of that kind wait for the answer.
    judging: tokio::sync::Mutex<()>,
}

/// What the node knows, and what it does not yet.
#[derive(Default)]
struct Told {
    /// Judged, and not violations.
    begun: Actions,
    /// Of these, what is reported.
    reported: Actions,
    since: Deeds,
}

/// Deeds that are not reported yet.
#[derive(Default)]
struct Deeds {
    counts: std::collections::BTreeMap<u8, u64>,
    ranges: Ranges,
    /// Of the first and the last, ms.
    from_ms: u64,
    until_ms: u64,
}

impl Handle {
    pub(crate) fn new(agent: &Agent, file: String, program: Option<String>) -> Self {
        Self {
            shared: Arc::new(Shared {
                agent: agent.clone(),
                file,
                program,
                told: Mutex::default(),
                judging: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// Before a deed: the first of its kind is judged and reported, later ones are only noted. Without a range nothing is
    /// done yet: the file is opened for it.
    ///
    /// # Errors
    /// [`AgentError`]; the deed must then not be done.
    pub(crate) async fn begin(
        &self,
        action: Action,
        range: Option<(u64, u64)>,
    ) -> Result<(), AgentError> {
        if self.note(action, range) {
            return Ok(());
        }
        let _judging = self.shared.judging.lock().await;
        if self.note(action, range) {
            return Ok(());
        }
        let mut first = Deeds::default();
        if let Some(range) = range {
            first.add(action, range, self.now_ms());
        }
        let reported = self
            .shared
            .agent
            .authorise(action, &self.body(Actions::NONE.with(action), first))
            .await?;
        let mut told = self.told();
        told.begun = told.begun.with(action);
        if reported.is_some() {
            told.reported = told.reported.with(action);
        }
        Ok(())
    }

    /// Notes a deed of a kind that has begun; whether it has.
    pub(crate) fn note(&self, action: Action, range: Option<(u64, u64)>) -> bool {
        let mut told = self.told();
        if let Some(range) = range
            && told.reported.contains(action)
        {
            told.since.add(action, range, self.now_ms());
        }
        told.begun.contains(action)
    }

    /// Gives account of what has been noted since the last report, if anything has.
    pub(crate) fn settle(&self) {
        let deeds = std::mem::take(&mut self.told().since);
        let actions = Action::SIX
            .into_iter()
            .filter(|action| deeds.counts.contains_key(&(*action as u8)));
        let actions: Actions = actions.collect();
        if !actions.is_empty() {
            self.shared
                .agent
                .account(actions, &self.body(actions, deeds));
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        // A panic while it was held leaves a deed half counted.
        self.shared
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        self.shared.agent.clock().wall_ms()
    }

    fn body(&self, actions: Actions, deeds: Deeds) -> ReportBody {
        let dataset = self.shared.agent.header().dataset_id();
        let times = match deeds.counts.is_empty() {
            true => String::new(),
            false => format!(", from {} to {} ms", deeds.from_ms, deeds.until_ms),
        };
        ReportBody {
            comment: format!("{actions} of {dataset} in a mounted folder{times}"),
            file: Some(self.shared.file.clone()),
            ranges: deeds.ranges.0,
            program: self.shared.program.clone(),
            counts: deeds.counts,
            ..ReportBody::default()
        }
    }
}

impl Deeds {
    fn add(&mut self, action: Action, (start, end): (u64, u64), now_ms: u64) {
        if self.counts.is_empty() {
            self.from_ms = now_ms;
        }
        self.until_ms = now_ms;
        let count = self.counts.entry(action as u8).or_default();
        *count = count.saturating_add(1);
        self.ranges.add(start, end);
    }
}

/// Ranges in ascending order that neither overlap nor touch.
#[derive(Default)]
struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    fn add(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        // What it overlaps or touches becomes one with it.
        let first = self.0.partition_point(|(_, other)| *other < start);
        let behind = self.0.partition_point(|(other, _)| *other <= end);
        let joined = self.0[first..behind]
            .iter()
            .fold((start, end), |(start, end), other| {
                (start.min(other.0), end.max(other.1))
            });
        self.0.splice(first..behind, [joined]);
        if self.0.len() > MAX_RANGES {
            self.join_the_closest();
        }
    }

    fn join_the_closest(&mut self) {
        let gaps = self.0.windows(2).map(|pair| pair[1].0 - pair[0].1);
        if let Some((closest, _)) = gaps.enumerate().min_by_key(|(_, gap)| *gap) {
            self.0[closest].1 = self.0[closest + 1].1;
            self.0.remove(closest + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_that_touch_are_one_and_there_are_never_too_many() {
        let mut ranges = Ranges::default();
        for (start, end) in [(10, 20), (30, 40), (20, 30), (5, 5), (0, 4)] {
            ranges.add(start, end);
        }
        assert_eq!(ranges.0, [(0, 4), (10, 40)]);
        let mut many = Ranges::default();
        for start in 0..=MAX_RANGES as u64 {
            many.add(100 * start, 100 * start + 1);
        }
        assert_eq!(many.0.len(), MAX_RANGES);
        assert_eq!(many.0[0], (0, 101), "the first of the closest were joined");
    }

    proptest! {
        #[test]
        fn what_was_added_is_in_the_ranges(added in proptest::collection::vec((0_u64..10_000, 0_u64..50), 1..200)) {
            let mut ranges = Ranges::default();
            for (start, length) in &added {
                ranges.add(*start, start + length);
            }
            prop_assert!(ranges.0.len() <= MAX_RANGES);
            prop_assert!(ranges.0.windows(2).all(|pair| pair[0].1 < pair[1].0));
            for (start, length) in added.iter().filter(|(_, length)| *length > 0) {
                prop_assert!(ranges.0.iter().any(|(from, to)| from <= start && start + length <= *to));
            }
        }
    }
}
