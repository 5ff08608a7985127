//! The words of a node's entries at the levels of a node above.
//!
//! What becomes of the groups of some columns that lie side by side in a word is looked up at once, in a table over all that
//! their bits can be.

use super::entries::Entries;
use super::keys::Field;
use super::problem::{Problem, QuasiIdentifier};

/// Bits that are looked up at once, at most, unless a single column has more,
const MAX_BITS: u32 = 11;
/// and no more places of a table than so many for each entry.
const ENTRIES_PER_PLACE: usize = 4;

/// Raises entries from level to level, in memory that is kept.
#[derive(Default)]
pub(crate) struct Raising {
    map: Vec<u32>,
    tables: Vec<Table>,
}

/// What becomes of some bits of a word.
#[derive(Default)]
struct Table {
    shift: u32,
    bits: u32,
    to: Vec<u64>,
}

impl Raising {
    /// Writes the words of entries at one node for another one above.
    pub(crate) fn raise(
        &mut self,
        problem: &Problem<'_>,
        entries: &Entries,
        [below, levels]: [&[usize]; 2],
        words: &mut [Vec<u64>],
    ) {
        let most_places = entries.len() / ENTRIES_PER_PLACE;
        let columns = problem.columns().iter().zip(problem.layout().fields());
        let columns = columns.zip(below.iter().zip(levels));
        for (word, (raised, words)) in words.iter_mut().zip(&entries.words).enumerate() {
            // A column of a single code has no bits, and stays as it is.
            let here = columns
                .clone()
                .filter(|((_, field), _)| field.word == word && field.bits() > 0);
            let mut count = 0;
            for ((column, field), (&from, &to)) in here.filter(|(_, (from, to))| from != to) {
                groups_of_groups(column, [from, to], &mut self.map);
                let last = self.tables[..count].last_mut();
                if last.is_some_and(|table| table.widen(*field, &self.map, most_places)) {
                    continue;
                }
                if count == self.tables.len() {
                    self.tables.push(Table::default());
                }
                self.tables[count].start(*field, &self.map);
                count += 1;
            }
            raised.clear();
            apply(&self.tables[..count], words, raised);
        }
    }
}

/// The group at one level of each group at another level below.
fn groups_of_groups(column: &QuasiIdentifier<'_>, [from, to]: [usize; 2], map: &mut Vec<u32>) {
    let groups = &column.levels()[to].groups;
    let firsts = column.levels()[from].firsts.iter();
    map.clear();
    map.extend(firsts.map(|&code| groups[code as usize]));
}

fn apply(tables: &[Table], words: &[u64], raised: &mut Vec<u64>) {
    let kept = tables
        .iter()
        .fold(u64::MAX, |kept, table| kept & !table.mask());
    match tables {
        [] => raised.extend_from_slice(words),
        [a] => raised.extend(words.iter().map(|&word| word & kept | a.of(word))),
        [a, b] => raised.extend(
            words
                .iter()
                .map(|&word| word & kept | a.of(word) | b.of(word)),
        ),
        [a, b, c] => raised.extend(
            words
                .iter()
                .map(|&word| word & kept | a.of(word) | b.of(word) | c.of(word)),
        ),
        _ => raised.extend(words.iter().map(|&word| {
            let all = tables.iter();
            all.fold(word & kept, |raised, table| raised | table.of(word))
        })),
    }
}

impl Table {
    fn start(&mut self, field: Field, map: &[u32]) {
        self.shift = field.shift();
        self.bits = field.bits();
        self.to.clear();
        self.to.extend(map.iter().map(|&code| field.put(code)));
        // No group has these numbers, but no branch is needed that way.
        self.to.resize(1 << self.bits, 0);
    }

    /// Takes another column in, that lies behind those that are there; whether it fits.
    fn widen(&mut self, field: Field, map: &[u32], most_places: usize) -> bool {
        let bits = field.shift() + field.bits() - self.shift;
        if bits > MAX_BITS || 1 << bits > most_places {
            return false;
        }
        let between = field.shift() - self.shift - self.bits;
        // Columns between that stay as they are.
        for other in 1..1_u64 << between {
            let other = other << (self.shift + self.bits);
            self.to.extend_from_within(..1 << self.bits);
            let begin = self.to.len() - (1 << self.bits);
            self.to[begin..].iter_mut().for_each(|word| *word |= other);
        }
        let lower = self.to.len();
        let upper = 1_usize << field.bits();
        for code in 1..upper {
            let code = field.put(map.get(code).copied().unwrap_or(0));
            self.to.extend_from_within(..lower);
            let begin = self.to.len() - lower;
            self.to[begin..].iter_mut().for_each(|word| *word |= code);
        }
        let code = field.put(map[0]);
        self.to[..lower].iter_mut().for_each(|word| *word |= code);
        self.bits = bits;
        true
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
            Raising::default().raise(&problem, problem.entries(), [&bottom, &levels], &mut words);
            for (column, (field, of)) in problem.layout().fields().iter().zip(problem.columns()).enumerate() {
                let groups = &of.levels()[levels[column]].groups;
                let expected = problem.codes(column).into_iter().map(|code| groups[code as usize]);
                let raised = words[field.word].iter().map(|&word| field.get(word));
                prop_assert!(raised.eq(expected), "column {}", column);
            }
        }
    }
}
