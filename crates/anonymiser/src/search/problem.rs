//! The data of a search: distinct rows with their multiplicity, and what they look like at each level.

use crate::metric::Metric;
use crate::models::Judge;
use crate::risk::RiskLimit;
use crate::table::Column;

use super::classes::Grouping;
use super::coded::QuasiIdentifier;
use super::entries::{ByClass, Cell, Entries};
use super::keys::Layout;

/// A sensitive column as the search sees it.
pub(crate) struct Sensitive<'a> {
    /// Value of each row of the table.
    codes: &'a [u32],
    values: usize,
    judges: Vec<Judge>,
}

impl<'a> Sensitive<'a> {
    /// With models that are made for this column.
    pub(crate) fn new(column: &'a Column, judges: Vec<Judge>) -> Self {
        Self {
            codes: column.codes(),
            values: column.values().len(),
            judges,
        }
    }

    /// How many values the column has.
    pub(crate) fn values(&self) -> usize {
        self.values
    }

    pub(crate) fn judges(&self) -> &[Judge] {
        &self.judges
    }
}

/// What is to be solved.
pub(crate) struct Problem<'a> {
    columns: Vec<QuasiIdentifier<'a>>,
    sensitives: Vec<Sensitive<'a>>,
    layout: Layout,
    /// The distinct rows.
    entries: Entries,
    /// The distinct row of each row of the table.
    distinct_of_row: Vec<u32>,
    rows: usize,
    goal: Goal,
}

/// What is wanted of a node.
#[derive(Debug, Clone)]
pub(crate) struct Goal {
    /// Rows of each class that is released, at least.
    pub(crate) k: usize,
    /// Rows that may be suppressed.
    pub(crate) limit: usize,
    /// Which the columns are made for.
    pub(crate) metric: Metric,
    /// Limits of the risk that somebody is found again.
    pub(crate) risks: Vec<RiskLimit>,
}

impl<'a> Problem<'a> {
    /// Merges equal rows. The columns may have more than `rows`: those are of the population.
    pub(crate) fn new(
        columns: Vec<QuasiIdentifier<'a>>,
        sensitives: Vec<Sensitive<'a>>,
        rows: usize,
        goal: Goal,
    ) -> Self {
        let layout = Layout::of(columns.iter().map(QuasiIdentifier::count));
        let mut distinct = Distinct::new(&layout);
        let of_table = columns.iter().map(|column| &column.codes[..rows]);
        let distinct_of_row = distinct.add(&of_table.collect::<Vec<_>>(), rows);
        let all = columns.first().map_or(rows, |column| column.codes.len());
        let people = (all > rows).then(|| {
            let of_population = columns.iter().map(|column| &column.codes[rows..]);
            distinct.add(&of_population.collect::<Vec<_>>(), all - rows)
        });
        let Distinct { words, count, .. } = distinct;
        let cells = sensitives.iter().map(|sensitive| {
            let rows = distinct_of_row.iter().zip(sensitive.codes);
            let cells = rows.map(|(&entry, &value)| Cell {
                entry,
                value,
                rows: 1,
            });
            ByClass::default().merged(cells, count, sensitive.values)
        });
        let entries = Entries {
            words,
            rows: counted(&distinct_of_row, count),
            people: people.map_or(Vec::new(), |people| counted(&people, count)),
            cells: cells.collect(),
        };
        Self {
            columns,
            sensitives,
            layout,
            entries,
            distinct_of_row,
            rows,
            goal,
        }
    }

    pub(crate) fn columns(&self) -> &[QuasiIdentifier<'a>] {
        &self.columns
    }

    pub(crate) fn sensitives(&self) -> &[Sensitive<'a>] {
        &self.sensitives
    }

    /// Where each quasi-identifier lies in the words of an entry.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The code of each distinct row in one column.
    pub(crate) fn codes(&self, column: usize) -> Vec<u32> {
        let field = self.layout.fields()[column];
        let words = self.entries.words[field.word].iter();
        words.map(|&word| field.get(word)).collect()
    }

    /// The distinct rows.
    pub(crate) fn entries(&self) -> &Entries {
        &self.entries
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn goal(&self) -> &Goal {
        &self.goal
    }

    /// Whether people besides those of the table are known.
    pub(crate) fn has_population(&self) -> bool {
        !self.entries.people.is_empty()
    }

    /// Whether a node beyond the limit excludes all nodes below it: whether a class that is kept stays so, whatever
    /// joins it. Where nothing may be suppressed, only classes that are kept ever join.
    pub(crate) fn is_monotone(&self) -> bool {
        let mut judges = self
            .sensitives
            .iter()
            .flat_map(|sensitive| &sensitive.judges);
        if self.goal.limit == 0 {
            return judges.all(Judge::survives_merges_of_accepted);
        }
        judges.all(Judge::survives_any_merge) && self.averages_survive_any_merge()
    }

    /// Whether what is suppressed for the sake of average risks is never more at a node above: the largest classes are kept, and merged they
    /// are fewer with as many rows. With a population the largest need not be those with most rows.
    pub(crate) fn averages_survive_any_merge(&self) -> bool {
        !self.has_population() || self.goal.risks.iter().all(|limit| limit.is_of_classes())
    }

    /// Whether a class that is not kept tells how many of its rows no node below can keep.
    pub(crate) fn tells_of_below(&self) -> bool {
        let mut judges = self
            .sensitives
            .iter()
            .flat_map(|sensitive| &sensitive.judges);
        judges.any(Judge::tells_of_parts)
    }

    /// For each row of the table what is said of its distinct row.
    pub(crate) fn rows_of<T: Copy>(&self, said: impl Fn(u32) -> T) -> Vec<T> {
        let said: Vec<T> = (0..self.entries.len() as u32).map(said).collect();
        let rows = self.distinct_of_row.iter();
        rows.map(|&distinct| said[distinct as usize]).collect()
    }
}

/// How many there are of each of so many.
fn counted(all: &[u32], count: usize) -> Vec<u32> {
    let mut counts = vec![0; count];
    for &one in all {
        counts[one as usize] += 1;
    }
    counts
}

/// Distinct rows, which are added list by list.
struct Distinct<'a> {
    layout: &'a Layout,
    grouping: Grouping,
    /// The words of each distinct row.
    words: Vec<Vec<u64>>,
    added: usize,
    count: usize,
}

impl<'a> Distinct<'a> {
    fn new(layout: &'a Layout) -> Self {
        Self {
            layout,
            grouping: Grouping::default(),
            words: vec![Vec::new(); layout.words()],
            added: 0,
            count: 0,
        }
    }

    /// The distinct row of each of so many entries with these codes.
    fn add(&mut self, codes: &[&[u32]], entries: usize) -> Vec<u32> {
        let mut of = Vec::with_capacity(entries);
        self.layout.pack(codes, |words| {
            self.grouping.extend(words, &mut of);
            let firsts = self.grouping.firsts();
            for &first in &firsts[self.count..] {
                let place = first as usize - self.added;
                for (all, words) in self.words.iter_mut().zip(words) {
                    all.push(words[place]);
                }
            }
            self.count = firsts.len();
            self.added += words[0].len();
        });
        if codes.is_empty() {
            of.resize(entries, 0);
            self.count = self.count.max(entries.min(1));
        }
        of
    }
}
