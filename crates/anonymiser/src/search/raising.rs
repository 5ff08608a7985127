//! What becomes of the words of a node's entries at the levels of a node above: its words, or its *places*.
//!
//! The place of an entry is its groups read as one number, each column with as many digits as it has groups there. What becomes of
//! the groups of some columns that lie side by side in a word is looked up at once, in a table over all that
//! their bits can be.

use super::coded::QuasiIdentifier;
use super::entries::Entries;
use super::keys::Field;
use super::problem::Problem;

/// Bits that are looked up at once, at most, unless a single column has more,
const MAX_BITS: u32 = 11;
/// and no more entries of a table than so many for each that is looked up.
const ENTRIES_PER_LOOKUP: usize = 4;

/// From a node to one above.
#[derive(Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) problem: &'a Problem<'a>,
    pub(crate) from: &'a [usize],
    pub(crate) to: &'a [usize],
}

impl<'a> Step<'a> {
    /// The columns of one word that have bits there, with their fields and numbers.
    fn columns(self, word: usize) -> impl Iterator<Item = (&'a QuasiIdentifier<'a>, Field, usize)> {
        let fields = self.problem.layout().fields().iter();
        let columns = self.problem.columns().iter().zip(fields).zip(0..);
        let columns = columns.map(|((column, &field), number)| (column, field, number));
        columns.filter(move |(_, field, _)| field.word == word && field.bits() > 0)
    }

    /// Places that entries can have.
    pub(crate) fn places(self) -> usize {
        let columns = self.problem.columns().iter().zip(self.to);
        columns.fold(1, |places, (column, &level)| {
            places.saturating_mul(column.levels()[level].count())
        })
    }
}

/// Raises entries from level to level, in memory that is kept.
#[derive(Default)]
pub(crate) struct Raising {
    map: Vec<u32>,
    tables: Vec<Table>,
    /// Of them those in use.
    count: usize,
}

/// What becomes of some bits of a word.
#[derive(Default)]
struct Table {
    shift: u32,
    bits: u32,
    to: Vec<u64>,
}

impl Raising {
    /// Writes the words that these become.
    pub(crate) fn raise(&mut self, step: Step<'_>, words: &[Vec<u64>], raised: &mut [Vec<u64>]) {
        for (word, (raised, words)) in raised.iter_mut().zip(words).enumerate() {
            self.count = 0;
            for (column, field, number) in step.columns(word) {
                let levels = [step.from[number], step.to[number]];
                if levels[0] != levels[1] {
                    self.add(column, levels, field, field.put(1), words.len(), true);
                }
            }
            let tables = &self.tables[..self.count];
            let kept = tables.iter().fold(!0, |kept, table| kept & !table.mask());
            raised.clear();
            raised.resize(words.len(), 0);
            apply(tables, words, raised, |to, word, sum| {
                *to = word & kept | sum
            });
        }
    }

    /// Writes the places of entries, of which there must be less than 2³².
    pub(crate) fn place(&mut self, step: Step<'_>, entries: &Entries, places: &mut Vec<u32>) {
        places.clear();
        places.resize(entries.len(), 0);
        let mut unit = 1;
        for (word, words) in entries.words.iter().enumerate() {
            self.count = 0;
            for (column, field, number) in step.columns(word) {
                let groups = column.levels()[step.to[number]].count();
                if groups > 1 {
                    let levels = [step.from[number], step.to[number]];
                    self.add(column, levels, field, unit, words.len(), false);
                    unit *= groups as u64;
                }
            }
            let tables = &self.tables[..self.count];
            apply(tables, words, places, |place, _, sum| *place += sum as u32);
        }
    }

    /// A further column, each group of which becomes so many `unit`s; `carries` says whether columns between it and the last one stay
    /// as they are.
    fn add(
        &mut self,
        column: &QuasiIdentifier<'_>,
        levels: [usize; 2],
        field: Field,
        unit: u64,
        lookups: usize,
        carries: bool,
    ) {
        groups_of_groups(column, levels, &mut self.map);
        let most = lookups / ENTRIES_PER_LOOKUP;
        let last = self.tables[..self.count].last_mut();
        if last.is_some_and(|table| table.widen(field, &self.map, unit, most, carries)) {
            return;
        }
        if self.count == self.tables.len() {
            self.tables.push(Table::default());
        }
        self.tables[self.count].start(field, &self.map, unit);
        self.count += 1;
    }
}

/// The group at one level of each group at another level below.
fn groups_of_groups(column: &QuasiIdentifier<'_>, [from, to]: [usize; 2], map: &mut Vec<u32>) {
    let groups = &column.levels()[to].groups;
    let firsts = column.levels()[from].firsts.iter();
    map.clear();
    map.extend(firsts.map(|&code| groups[code as usize]));
}

/// Puts for each word the sum of what the tables make of it.
fn apply<T>(tables: &[Table], words: &[u64], into: &mut [T], put: impl Fn(&mut T, u64, u64)) {
    let each = words.iter().zip(into);
    match tables {
        [a] => each.for_each(|(&word, to)| put(to, word, a.of(word))),
        [a, b] => each.for_each(|(&word, to)| put(to, word, a.of(word) + b.of(word))),
        [a, b, c] => {
            each.for_each(|(&word, to)| put(to, word, a.of(word) + b.of(word) + c.of(word)));
        }
        [a, b, c, d] => each.for_each(|(&word, to)| {
            put(to, word, a.of(word) + b.of(word) + c.of(word) + d.of(word));
        }),
        _ => each.for_each(|(&word, to)| {
            put(to, word, tables.iter().map(|table| table.of(word)).sum());
        }),
    }
}

impl Table {
    fn start(&mut self, field: Field, map: &[u32], unit: u64) {
        self.shift = field.shift();
        self.bits = field.bits();
        self.to.clear();
        self.to
            .extend(map.iter().map(|&group| u64::from(group) * unit));
        // No group has these numbers, but no branch is needed that way.
        self.to.resize(1 << self.bits, 0);
    }

    /// Takes another column in, that lies behind those that are there; whether it fits.
    fn widen(&mut self, field: Field, map: &[u32], unit: u64, most: usize, carries: bool) -> bool {
        let bits = field.shift() + field.bits() - self.shift;
        if bits > MAX_BITS || 1 << bits > most {
            return false;
        }
        let between = self.shift + self.bits;
        for other in 1..1_u64 << (field.shift() - between) {
            self.repeat(1 << self.bits, if carries { other << between } else { 0 });
        }
        let lower = self.to.len();
        for code in 1..1_usize << field.bits() {
            self.repeat(
                lower,
                map.get(code).map_or(0, |&group| u64::from(group) * unit),
            );
        }
        let first = u64::from(map[0]) * unit;
        self.to[..lower].iter_mut().for_each(|to| *to += first);
        self.bits = bits;
        true
    }

    /// Appends the first so many again, with more.
    fn repeat(&mut self, count: usize, more: u64) {
        let begin = self.to.len();
        self.to.extend_from_within(..count);
        self.to[begin..].iter_mut().for_each(|to| *to += more);
    }

    fn mask(&self) -> u64 {
        (self.to.len() as u64 - 1) << self.shift
    }

    fn of(&self, word: u64) -> u64 {
        self.to[(word >> self.shift) as usize & (self.to.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::hierarchy::Hierarchy;
    use crate::metric::Metric;
    use crate::search::problem::Goal;
    use crate::table::Table;
    use proptest::prelude::*;

    /// Of values below `values`: in threes, in nines, and all alike.
    fn hierarchy(values: usize) -> Hierarchy {
        let line = |value: usize| format!("{value};{}+;{}++;*", value / 3, value / 9);
        let lines: Vec<String> = (0..values).map(line).collect();
        Hierarchy::from_csv(lines.join("\n").as_bytes(), b';').unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// However many columns are looked up at once.
        #[test]
        fn each_column_is_raised_by_itself(
            columns in prop::collection::vec((1_usize..40, 0_usize..4), 1..14),
            rows in 1_usize..600,
            seed: u32,
        ) {
            let names: Vec<String> = (0..columns.len()).map(|column| format!("c{column}")).collect();
            let mut builder = Table::builder(names).unwrap();
            let mut state = seed;
            for _ in 0..rows {
                let cells: Vec<String> = columns.iter().map(|(values, _)| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    ((state >> 16) as usize % values).to_string()
                }).collect();
                builder.push_row(cells).unwrap();
            }
            let table = builder.finish();
            let goal = Goal { k: 2, limit: 0, metric: Metric::Loss, risks: Vec::new() };
            let coded = table.columns().iter().zip(&columns).map(|(column, (values, _))| {
                QuasiIdentifier::new(column, rows, &hierarchy(*values), goal.metric).unwrap()
            });
            let problem = Problem::new(coded.collect(), Vec::new(), rows, goal);
            let bottom = vec![0; columns.len()];
            let levels: Vec<usize> = columns.iter().map(|(_, level)| *level).collect();
            let mut words = vec![Vec::new(); problem.layout().words()];
            let step = Step { problem: &problem, from: &bottom, to: &levels };
            let mut raising = Raising::default();
            raising.raise(step, &problem.entries().words, &mut words);
            let mut places = Vec::new();
            let has_places = step.places() <= 1 << 32;
            if has_places {
                raising.place(step, problem.entries(), &mut places);
            }
            for (column, (field, of)) in problem.layout().fields().iter().zip(problem.columns()).enumerate() {
                let groups = &of.levels()[levels[column]].groups;
                let expected = problem.codes(column).into_iter().map(|code| groups[code as usize]);
                let raised = words[field.word].iter().map(|&word| field.get(word));
                prop_assert!(raised.clone().eq(expected), "column {}", column);
                if has_places {
                    let count = of.levels()[levels[column]].count() as u32;
                    for (place, group) in places.iter_mut().zip(raised) {
                        prop_assert_eq!(*place % count, group, "column {}", column);
                        *place /= count;
                    }
                }
            }
        }
    }
}
