//! Strict multidimensional recoding (LeFevre, DeWitt and Ramakrishnan, Mondrian Multidimensional K-Anonymity, 2006).
//!
//! The table begins as one class and is cut in two, and each part again, for as long as both parts keep k, the models and the limits
//! of risks by themselves. Of the columns that can be cut the one is taken whose values in the class stand for the largest share of
//! all; it is cut where its rows come nearest to halves: numbers between any two, other values between groups of their hierarchy
//! that lie below the same one. Averages of risks are kept by each class alone, which is more than is asked.
//!
//! What a class becomes is written as a range of numbers, or as the lowest group of the hierarchy that covers its values. Its loss
//! is that of [`Metric::Loss`](crate::Metric): the share of the hierarchy's values that this stands for.

mod axis;

use std::ops::Range;
use std::sync::Arc;

pub(crate) use axis::Axis;

use crate::models::Histogram;
use crate::risk::{self, Risks, Size};
use crate::search::Problem;

/// Parts of fewer entries than this are cut by the thread that cut the whole.
const ENTRIES_PER_TASK: usize = 1_024;

/// A table cut into classes.
pub(crate) struct Partition {
    /// Class of each distinct row; of the population alone, none that counts.
    pub(crate) class_of: Vec<u32>,
    pub(crate) classes: Vec<Class>,
    /// Cuts that were tried.
    pub(crate) cuts: usize,
}

/// What a class was cut down to.
pub(crate) struct Class {
    pub(crate) size: Size,
    /// For each column the first and the last place on its axis.
    pub(crate) spans: Vec<Range<u32>>,
}

/// What cutting needs to know.
struct Cutting<'a> {
    problem: &'a Problem<'a>,
    axes: &'a [Axis],
    /// By column: the place of each distinct row on its axis.
    places: Vec<Vec<u32>>,
    /// By sensitive column: where the cells of each distinct row begin, and the last end.
    cells: Vec<Vec<usize>>,
}

/// Cuts the table of a problem, the columns of which lie on these axes; `None` when even as a whole it does not keep what is asked.
pub(crate) fn partition(problem: &Problem<'_>, axes: &[Axis]) -> Option<Partition> {
    let entries = problem.entries();
    let cutting = Cutting {
        problem,
        axes,
        places: axes
            .iter()
            .enumerate()
            .map(|(column, axis)| axis.places(&problem.codes(column)))
            .collect(),
        cells: entries
            .cells
            .iter()
            .map(|cells| {
                let begin = |entry| cells.partition_point(|cell| (cell.entry as usize) < entry);
                (0..=entries.len()).map(begin).collect()
            })
            .collect(),
    };
    let all: Vec<u32> = (0..entries.len() as u32).collect();
    let (parts, cuts) = match all.len() {
        0 => (Vec::new(), 0),
        _ if !cutting.keeps(&all) => return None,
        _ => cutting.cut(all),
    };
    let mut class_of = vec![0; entries.len()];
    let classes = parts.iter().zip(0..).map(|(part, number)| {
        for &entry in part {
            class_of[entry as usize] = number;
        }
        cutting.class(part)
    });
    Some(Partition {
        classes: classes.collect(),
        class_of,
        cuts,
    })
}

impl Partition {
    pub(crate) fn risks(&self) -> Risks {
        risk::risks(self.classes.iter().map(|class| class.size))
    }

    pub(crate) fn smallest(&self) -> usize {
        let rows = self.classes.iter().map(|class| class.size.rows as usize);
        rows.min().unwrap_or(0)
    }
}

impl Cutting<'_> {
    /// The classes of a part that keeps what is asked, and how many cuts were tried.
    fn cut(&self, part: Vec<u32>) -> (Vec<Vec<u32>>, usize) {
        let mut tried = 0;
        for column in self.widest_first(&part) {
            let places = &self.places[column];
            let rows = &self.problem.entries().rows;
            let of_part = part
                .iter()
                .map(|&entry| (places[entry as usize], rows[entry as usize]));
            let Some(at) = self.axes[column].cut(of_part) else {
                continue;
            };
            tried += 1;
            let (lower, upper): (Vec<u32>, Vec<u32>) =
                part.iter().partition(|&&entry| places[entry as usize] < at);
            if self.keeps(&lower) && self.keeps(&upper) {
                let is_large = part.len() >= ENTRIES_PER_TASK;
                drop(part);
                let ((mut classes, one), (more, other)) = if is_large {
                    rayon::join(|| self.cut(lower), || self.cut(upper))
                } else {
                    (self.cut(lower), self.cut(upper))
                };
                classes.extend(more);
                return (classes, tried + one + other);
            }
        }
        (vec![part], tried)
    }

    /// The columns, that whose values stand for the largest share first.
    fn widest_first(&self, part: &[u32]) -> Vec<usize> {
        let mut columns: Vec<(f64, usize)> = (0..self.axes.len())
            .map(|column| (self.axes[column].share(&self.span(part, column)), column))
            .collect();
        columns.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        columns.into_iter().map(|(_, column)| column).collect()
    }

    /// From the first to the last place of the rows of a part; of none it is empty.
    fn span(&self, part: &[u32], column: usize) -> Range<u32> {
        let rows = &self.problem.entries().rows;
        let of_table = part.iter().filter(|&&entry| rows[entry as usize] > 0);
        let places = of_table.map(|&entry| self.places[column][entry as usize]);
        let span = places.fold(None, |span: Option<Range<u32>>, place| {
            let span = span.unwrap_or(place..place + 1);
            Some(span.start.min(place)..span.end.max(place + 1))
        });
        span.unwrap_or(0..0)
    }

    fn class(&self, part: &[u32]) -> Class {
        let columns = 0..self.axes.len();
        let spans: Vec<Range<u32>> = columns.map(|column| self.span(part, column)).collect();
        let entries = self.problem.entries();
        let rows = part
            .iter()
            .map(|&entry| u64::from(entries.rows[entry as usize]))
            .sum();
        // People of the population count where everything that is told of the class is true of them.
        let is_told = |entry: usize| {
            let mut columns = spans.iter().zip(&self.places);
            columns.all(|(span, places)| span.contains(&places[entry]))
        };
        let people = part
            .iter()
            .filter(|&&entry| self.problem.has_population() && is_told(entry as usize));
        let people: u64 = people
            .map(|&entry| u64::from(entries.people[entry as usize]))
            .sum();
        Class {
            size: Size {
                rows,
                people: people.max(rows),
            },
            spans,
        }
    }

    /// Whether a part may be a class.
    fn keeps(&self, part: &[u32]) -> bool {
        let goal = self.problem.goal();
        let entries = self.problem.entries();
        let rows: u64 = part
            .iter()
            .map(|&entry| u64::from(entries.rows[entry as usize]))
            .sum();
        if rows < goal.k.max(1) as u64 {
            return false;
        }
        if !goal.risks.is_empty() {
            let size = self.class(part).size;
            if !goal.risks.iter().all(|limit| limit.holds_alone(size)) {
                return false;
            }
        }
        let sensitives = self.problem.sensitives().iter().enumerate();
        for (column, sensitive) in sensitives {
            let mut histogram = Histogram::of(sensitive.values());
            for &entry in part {
                let begins = &self.cells[column][entry as usize..=entry as usize + 1];
                for cell in &entries.cells[column][begins[0]..begins[1]] {
                    histogram.add(cell.value, cell.rows);
                }
            }
            histogram.settle();
            if !sensitive
                .judges()
                .iter()
                .all(|judge| judge.accepts(&mut histogram))
            {
                return false;
            }
        }
        true
    }
}

/// What the spans of each class are written as, by column: the label of each class.
pub(crate) fn labels(partition: &Partition, axes: &[Axis], column: usize) -> Vec<Arc<str>> {
    let classes = partition.classes.iter();
    classes
        .map(|class| axes[column].label(&class.spans[column]))
        .collect()
}

/// The sum of what the rows' values stand for, in values of the column's hierarchy.
pub(crate) fn weight(partition: &Partition, axes: &[Axis], column: usize) -> u64 {
    let classes = partition.classes.iter();
    let weights = classes.map(|class| class.size.rows * axes[column].leaves(&class.spans[column]));
    weights.sum()
}
