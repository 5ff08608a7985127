//! Spans: stretches of the data longer than a chunk, put together in locked memory; also before they are asked for.
//!
//! The kernel reads ahead of a program that reads in order, two spans at a time, so that what counts is how soon each is
//! answered. Those behind them are decrypted while program and kernel copy these.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use medshare_protocol::package::{CHUNK_BYTES, TAG_BYTES};

use crate::memory::{LockedBuffer, LockedPool};

/// The longest span: as far as the kernel reads ahead at once.
pub(crate) const SPAN_BYTES: usize = 2 * CHUNK_BYTES;
/// Bytes of a span's buffer, in pages: a chunk is decrypted where its bytes are wanted, and its tag stands behind it.
const BUFFER_BYTES: usize = (SPAN_BYTES + TAG_BYTES).next_multiple_of(4096);
/// Spans that are decrypted before they are asked for.
const AHEAD: usize = 5;
/// With what the kernel has asked for and not been given yet.
const ROOM: usize = AHEAD + 1;
/// Spans that are being read; more wait.
const READ: usize = 2;
/// How many spans the kernel has asked for at once, in whatever order it is answered.
const ASKED: u64 = 2;

pub(super) struct Spans {
    /// One more than are ready and read: it is being decrypted.
    pool: std::sync::Arc<LockedPool>,
    ready: Mutex<Ready>,
}

/// What is decrypted, and for whom: the one who read last.
struct Ready {
    /// The oldest first.
    spans: VecDeque<(Span, LockedBuffer)>,
    room: usize,
    last: Span,
}

/// Where a span begins, and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) length: usize,
}

impl Spans {
    pub(super) fn new() -> io::Result<Self> {
        let number = ROOM + READ + 1;
        let nothing = Span {
            offset: u64::MAX,
            length: 0,
        };
        Ok(Self {
            pool: LockedPool::of(BUFFER_BYTES, number..=number)?,
            ready: Mutex::new(Ready {
                spans: VecDeque::with_capacity(ROOM),
                room: ROOM,
                last: nothing,
            }),
        })
    }

    /// Room for a span and a tag; waits until there is some.
    pub(super) fn lend(&self) -> LockedBuffer {
        self.pool.lend()
    }

    /// The bytes of the very span, if they are ready.
    pub(super) fn take(&self, span: Span) -> Option<LockedBuffer> {
        let mut ready = self.ready();
        let place = ready.spans.iter().position(|(of, _)| *of == span)?;
        ready.spans.remove(place).map(|(_, bytes)| bytes)
    }

    pub(super) fn put(&self, span: Span, bytes: LockedBuffer) {
        let mut ready = self.ready();
        let last = ready.last;
        // Also what came too late: nobody who reads in order comes back for it.
        ready.spans.retain(|(of, _)| of.offset >= last.offset);
        if ready.spans.len() >= ready.room {
            ready.spans.pop_front();
        }
        if ready.room > 0 {
            ready.spans.push_back((span, bytes));
        }
    }

    /// Notes a read; whether the reader reads in order, and will soon ask for what is not ready. Soon, so that several spans
    /// are decrypted at a time: to be woken costs a thread more than half of one.
    pub(super) fn note(&self, span: Span, end: u64) -> bool {
        let mut ready = self.ready();
        let before = std::mem::replace(&mut ready.last, span);
        let goes_on = before.offset.abs_diff(span.offset) <= ASKED * span.length as u64;
        let soon = ASKED + AHEAD as u64 / 2;
        let until = span.offset.saturating_add(soon * span.length as u64);
        let next = ready.wanted(end).next();
        goes_on && next.is_some_and(|next| next.offset <= until)
    }

    /// What a reader in order will ask for next and is not ready, up to the data's `end`.
    pub(super) fn wanted(&self, end: u64) -> Option<Span> {
        self.ready().wanted(end).next()
    }

    pub(super) fn clear(&self) {
        self.ready().spans.clear();
    }

    /// Forgets all, and takes nothing any more: also not from those who decrypt now.
    pub(super) fn close(&self) {
        let mut ready = self.ready();
        ready.room = 0;
        ready.spans.clear();
    }

    fn ready(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ready {
    /// Whole spans behind those that the kernel has asked for already.
    fn wanted(&self, end: u64) -> impl Iterator<Item = Span> {
        let Span { offset, length } = self.last;
        let behind = (ASKED..).take(AHEAD).map_while(move |place| {
            let offset = offset.checked_add(place * length as u64)?;
            let is_whole = offset.checked_add(length as u64)? <= end;
            is_whole.then_some(Span { offset, length })
        });
        behind.filter(|span| self.spans.iter().all(|(of, _)| of != span))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const END: u64 = 20 * SPAN_BYTES as u64 + 5;

    fn span(place: u64) -> Span {
        Span {
            offset: place * SPAN_BYTES as u64,
            length: SPAN_BYTES,
        }
    }

    /// As the thread does it that decrypts ahead; which it was.
    fn fill(spans: &Spans) -> Vec<u64> {
        let mut filled = Vec::new();
        while let Some(span) = spans.wanted(END) {
            spans.put(span, spans.lend());
            filled.push(span.offset / SPAN_BYTES as u64);
        }
        filled
    }

    #[test]
    fn what_a_reader_in_order_asks_for_is_ready_and_no_more_than_that() {
        let spans = Spans::new().unwrap();
        assert!(!spans.note(span(0), END), "nothing was read before");
        // Answered in another order than the kernel asked in.
        assert!(spans.note(span(2), END));
        assert!(spans.note(span(1), END));
        assert_eq!(fill(&spans), [3, 4, 5, 6, 7]);
        for (place, is_low) in [(3, false), (4, true)] {
            assert!(spans.take(span(place)).is_some());
            assert!(spans.take(span(place)).is_none());
            assert_eq!(spans.note(span(place), END), is_low, "{place}");
        }
        assert_eq!(fill(&spans), [8, 9, 10]);
        assert!(spans.take(span(5)).is_some(), "the kernel has asked for it");
        // Whoever is elsewhere has nothing made ready, until it goes on there.
        assert!(!spans.note(span(15), END));
        assert!(spans.note(span(16), END));
        assert_eq!(
            fill(&spans),
            [18, 19],
            "the end of the data is no whole span"
        );
        assert!(!spans.note(span(17), END));
    }

    #[test]
    fn what_is_ready_never_keeps_a_reader_waiting_and_is_gone_when_it_is_closed() {
        let spans = Spans::new().unwrap();
        spans.note(span(0), END);
        for place in 0..18 {
            spans.put(span(place), spans.lend());
        }
        let read: Vec<_> = (0..=READ).map(|_| spans.lend()).collect();
        assert!(spans.take(span(0)).is_none() && spans.take(span(17)).is_some());
        spans.clear();
        assert!(spans.take(span(16)).is_none());
        spans.close();
        for bytes in read {
            spans.put(span(1), bytes);
        }
        assert!(spans.take(span(1)).is_none());
    }
}
