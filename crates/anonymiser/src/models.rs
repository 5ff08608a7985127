//! What the sensitive values of a class may tell: models of privacy beyond k-anonymity.
//!
//! A class that does not meet every model of every sensitive column is suppressed, as one that is smaller than k. The
//! distribution that a class is compared with is that of the whole table, suppressed rows included, as in ARX.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hierarchy::Hierarchy;
use crate::table::Column;
use crate::transform::position;

/// How far apart two values are, for t-closeness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// All alike.
    Equal,
    /// By their ranks: numbers by size, and texts by their bytes.
    Ordered,
    /// By the level at which the column's hierarchy joins them.
    Hierarchical,
}

/// What each class of a release must meet, for one sensitive column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Model {
    /// At least `l` distinct values.
    DistinctLDiversity {
        /// From 1.
        l: usize,
    },
    /// An entropy of at least log `l` (Machanavajjhala et al., 2007).
    EntropyLDiversity {
        /// From 1.
        l: f64,
    },
    /// The most frequent value is rarer than `c` times all from the l-th most frequent on together.
    RecursiveLDiversity {
        /// Above 0.
        c: f64,
        /// From 1.
        l: usize,
    },
    /// An earth mover's distance of at most `t` from the table's distribution (Li et al., 2007).
    TCloseness {
        /// From 0 to 1.
        t: f64,
        /// Between two values.
        distance: Distance,
    },
    /// Of each value of the class, |log₂(share in the class ÷ share in the table)| below `delta`, as ARX judges it.
    #[serde(rename_all = "kebab-case")]
    DeltaDisclosure {
        /// Above 0.
        delta: f64,
        /// Of each value of the table, as Brickell and Shmatikov (2008) define it: a value that a class lacks breaks it.
        #[serde(default)]
        every_value: bool,
    },
}

impl Model {
    /// What is wrong with its parameters, if anything.
    #[must_use]
    pub fn fault(self) -> Option<&'static str> {
        let (holds, what) = match self {
            Self::DistinctLDiversity { l } => (l >= 1, "l is a count from 1"),
            Self::EntropyLDiversity { l } => (l >= 1.0 && l.is_finite(), "l is a number from 1"),
            Self::RecursiveLDiversity { c, l } => {
                let holds = c > 0.0 && c.is_finite() && l >= 1;
                (holds, "c is a number above 0, and l a count from 1")
            }
            Self::TCloseness { t, .. } => ((0.0..=1.0).contains(&t), "t is a number from 0 to 1"),
            Self::DeltaDisclosure { delta, .. } => {
                let holds = delta > 0.0 && delta.is_finite();
                (holds, "delta is a number above 0")
            }
        };
        (!holds).then_some(what)
    }

    /// Whether a class that meets it still does when any other rows join.
    const fn survives_any_merge(self) -> bool {
        matches!(self, Self::DistinctLDiversity { .. })
    }

    /// Whether it needs the column's hierarchy.
    #[must_use]
    pub fn needs_hierarchy(self) -> bool {
        let hierarchical = |distance| distance == Distance::Hierarchical;
        matches!(self, Self::TCloseness { distance, .. } if hierarchical(distance))
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DistinctLDiversity { l } => write!(f, "distinct {l}-diversity"),
            Self::EntropyLDiversity { l } => write!(f, "entropy {l}-diversity"),
            Self::RecursiveLDiversity { c, l } => write!(f, "recursive ({c}, {l})-diversity"),
            Self::TCloseness { t, distance } => {
                let distance = match distance {
                    Distance::Equal => "equal",
                    Distance::Ordered => "ordered",
                    Distance::Hierarchical => "hierarchical",
                };
                write!(f, "{t}-closeness by {distance} distance")
            }
            Self::DeltaDisclosure { delta, every_value } => {
                let values = if *every_value { " of every value" } else { "" };
                write!(f, "{delta}-disclosure privacy{values}")
            }
        }
    }
}

/// How often each value of a column stands in a class. Its memory is kept from class to class.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    counts: Vec<u32>,
    present: Vec<u32>,
    rows: u64,
    scratch: Vec<u32>,
    extra: Vec<f64>,
    sides: Vec<[f64; 2]>,
}

impl Histogram {
    /// Of a column with so many values.
    pub(crate) fn of(values: usize) -> Self {
        Self {
            counts: vec![0; values],
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, value: u32, rows: u32) {
        let count = &mut self.counts[value as usize];
        if *count == 0 {
            self.present.push(value);
        }
        *count += rows;
        self.rows += u64::from(rows);
    }

    /// Before it is judged: sums are made in one order, however the rows came.
    pub(crate) fn settle(&mut self) {
        self.present.sort_unstable();
    }

    pub(crate) fn clear(&mut self) {
        for value in self.present.drain(..) {
            self.counts[value as usize] = 0;
        }
        self.rows = 0;
    }

    fn share(&self, value: usize) -> f64 {
        f64::from(self.counts[value]) / self.rows as f64
    }

    fn shares(&self) -> impl Iterator<Item = (usize, f64)> {
        let values = self.present.iter().map(|&value| value as usize);
        values.map(|value| (value, self.share(value)))
    }

    /// Of the values that the class has, (share in the class − share in the table) ÷ share in the table, at most: how much more
    /// likely a value gets.
    pub(crate) fn gain(&self, table: &[u64], rows: u64) -> f64 {
        let gain = |(value, share): (usize, f64)| share / (table[value] as f64 / rows as f64) - 1.0;
        self.shares().map(gain).fold(0.0, f64::max)
    }

    /// Distinct values.
    pub(crate) fn distinct(&self) -> usize {
        self.present.len()
    }

    /// Rows of the most frequent value, and of all others.
    pub(crate) fn most_and_others(&self) -> (u64, u64) {
        let counts = self
            .present
            .iter()
            .map(|&value| self.counts[value as usize]);
        let most = counts.max().map_or(0, u64::from);
        (most, self.rows - most)
    }

    /// Bits.
    pub(crate) fn entropy(&self) -> f64 {
        self.shares().map(|(_, share)| -share * share.log2()).sum()
    }

    /// Counts, the highest first.
    fn ranked(&mut self) -> &[u32] {
        self.scratch.clear();
        let counts = self
            .present
            .iter()
            .map(|&value| self.counts[value as usize]);
        self.scratch.extend(counts);
        self.scratch.sort_unstable_by(|one, other| other.cmp(one));
        &self.scratch
    }
}

/// What a model says of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) accepts: bool,
    /// However the class is divided into parts, those that are not accepted have at least so many rows.
    pub(crate) rejected_of_parts: u64,
}

/// More than floating point is off, in shares.
const ROUNDING: f64 = 1e-9;
/// What a class is beyond what is accepted by no more than this is floating point's.
const SMALLEST: f64 = 1e-12;

impl Verdict {
    /// Of a class of so many rows, by a measure of which a class has no more than the mean of its parts, each weighed by its rows: a
    /// distance is convex, and an entropy concave. `excess` is by how much the class is beyond what is accepted, and `most` by how much
    /// a part can be. With `r` rows in parts that are not accepted, `rows · excess ≤ r · most`.
    fn of_means(rows: u64, excess: f64, most: f64) -> Self {
        // A class of l values, all alike frequent, has an entropy of log l, and floating point comes out short of it for l = 15.
        let accepts = excess <= SMALLEST;
        let share = if excess > ROUNDING && most > ROUNDING {
            (excess - ROUNDING) / most
        } else {
            0.0
        };
        let least = (rows as f64 * (share - ROUNDING)).ceil().max(0.0);
        Self {
            accepts,
            rejected_of_parts: rows.min(least as u64),
        }
    }
}

/// A model for one column of one table.
#[derive(Debug)]
pub(crate) struct Judge {
    model: Model,
    /// Share of each value in the table.
    table: Vec<f64>,
    ground: Ground,
}

/// What the earth mover walks on.
#[derive(Debug)]
enum Ground {
    Flat,
    /// Values in their order.
    Line(Vec<u32>),
    /// For each level above the values: group of each group below, and how many groups there are.
    Tree(Vec<(Vec<u32>, usize)>),
}

impl Judge {
    /// For the values of `column`, each of which must stand in the hierarchy where one is needed.
    pub(crate) fn new(model: Model, column: &Column, hierarchy: Option<&Hierarchy>) -> Self {
        let mut counts = vec![0_u64; column.values().len()];
        for &code in column.codes() {
            counts[code as usize] += 1;
        }
        let rows = column.codes().len() as f64;
        let ground = match model {
            Model::TCloseness {
                distance: Distance::Ordered,
                ..
            } => Ground::Line(in_order(column)),
            Model::TCloseness {
                distance: Distance::Hierarchical,
                ..
            } => Ground::Tree(tree(column, hierarchy.expect("the plan's check wants one"))),
            _ => Ground::Flat,
        };
        Self {
            model,
            table: counts.iter().map(|&count| count as f64 / rows).collect(),
            ground,
        }
    }

    pub(crate) const fn survives_any_merge(&self) -> bool {
        self.model.survives_any_merge()
    }

    /// Whether a verdict on a class says something of its parts.
    pub(crate) const fn tells_of_parts(&self) -> bool {
        matches!(
            self.model,
            Model::TCloseness { .. } | Model::EntropyLDiversity { .. }
        )
    }

    /// Whether a class with these values, one row at least, meets the model.
    pub(crate) fn accepts(&self, class: &mut Histogram) -> bool {
        self.verdict(class).accepts
    }

    /// Judges a class with these values, one row at least.
    pub(crate) fn verdict(&self, class: &mut Histogram) -> Verdict {
        let accepts = match self.model {
            Model::DistinctLDiversity { l } => class.present.len() >= l,
            Model::EntropyLDiversity { l } => {
                let (entropy, least) = (class.entropy(), l.log2());
                // Where entropy is all alike 0, what is missing of the least is missing of the parts.
                return Verdict::of_means(class.rows, least - entropy, least);
            }
            Model::RecursiveLDiversity { c, l } => {
                let ranked = class.ranked();
                let tail = ranked.get(l - 1..).unwrap_or_default();
                let tail: u64 = tail.iter().map(|&count| u64::from(count)).sum();
                f64::from(ranked[0]) < c * tail as f64
            }
            Model::TCloseness { t, .. } => {
                return Verdict::of_means(class.rows, self.distance(class) - t, 1.0 - t);
            }
            Model::DeltaDisclosure { delta, every_value } => {
                let has_them = !every_value || class.present.len() == self.table.len();
                has_them && self.disclosure(class) < delta
            }
        };
        Verdict {
            accepts,
            rejected_of_parts: 0,
        }
    }

    /// The most that |log₂(share in the class ÷ share in the table)| is, of values that the class has.
    pub(crate) fn disclosure(&self, class: &Histogram) -> f64 {
        let ratios = class
            .shares()
            .map(|(value, share)| share / self.table[value]);
        ratios.map(|ratio| ratio.log2().abs()).fold(0.0, f64::max)
    }

    /// How far the earth is moved from the table's distribution to the class's: 0 to 1.
    pub(crate) fn distance(&self, class: &mut Histogram) -> f64 {
        match &self.ground {
            // What the class has too much of is what it lacks elsewhere.
            Ground::Flat => class
                .shares()
                .map(|(value, share)| (share - self.table[value]).max(0.0))
                .sum(),
            Ground::Line(order) => {
                let mut carried = 0.0_f64;
                let mut moved = 0.0;
                for &value in order {
                    carried += class.share(value as usize) - self.table[value as usize];
                    moved += carried.abs();
                }
                moved / (order.len().max(2) - 1) as f64
            }
            Ground::Tree(levels) => {
                let mut extra = std::mem::take(&mut class.extra);
                extra.clear();
                extra.extend(
                    (0..self.table.len()).map(|value| class.share(value) - self.table[value]),
                );
                let moved = climb(&mut extra, &mut class.sides, levels);
                class.extra = extra;
                moved
            }
        }
    }
}

/// Moves what it can within each group, level by level, and carries the rest up (Li et al., 2007, §4.2): moving within a
/// group of level h costs h of H for each share moved.
fn climb(extra: &mut Vec<f64>, sides: &mut Vec<[f64; 2]>, levels: &[(Vec<u32>, usize)]) -> f64 {
    let height = levels.len() as f64;
    let mut moved = 0.0;
    for (level, (groups, count)) in (1..).zip(levels) {
        sides.clear();
        sides.resize(*count, [0.0; 2]);
        for (&group, &extra) in groups.iter().zip(extra.iter()) {
            sides[group as usize][usize::from(extra < 0.0)] += extra.abs();
        }
        let within: f64 = sides.iter().map(|[more, less]| more.min(*less)).sum();
        moved += within * f64::from(level) / height;
        extra.clear();
        extra.extend(sides.iter().map(|[more, less]| more - less));
    }
    moved
}

/// The values in their order: as numbers where all are, otherwise by their bytes.
fn in_order(column: &Column) -> Vec<u32> {
    let numbers: Option<Vec<f64>> = column
        .values()
        .iter()
        .map(|value| position(value))
        .collect();
    let mut order: Vec<u32> = (0..column.values().len() as u32).collect();
    match numbers {
        Some(numbers) => {
            order.sort_by(|&one, &other| numbers[one as usize].total_cmp(&numbers[other as usize]))
        }
        None => order.sort_by_key(|&value| &column.values()[value as usize]),
    }
    order
}

/// The levels above the values of a column. The values of the hierarchy that the column lacks move no earth.
fn tree(column: &Column, hierarchy: &Hierarchy) -> Vec<(Vec<u32>, usize)> {
    let positions = hierarchy.positions();
    let values = column.values().iter();
    let values: Vec<u32> = values.map(|value| positions[&**value]).collect();
    let mut below: Vec<u32> = (0..values.len() as u32).collect();
    let mut below_count = values.len();
    (1..hierarchy.levels())
        .map(|level| {
            let level = hierarchy.level(level);
            let mut groups = vec![0; below_count];
            for (&value, &below) in values.iter().zip(&below) {
                groups[below as usize] = level.groups[value as usize];
            }
            below = values
                .iter()
                .map(|&value| level.groups[value as usize])
                .collect();
            below_count = level.labels.len();
            (groups, below_count)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::table::Table;

    /// A judge for a column of these values, and a verdict on the class of those rows.
    fn judged(
        model: Model,
        table: &[&str],
        rows: &[usize],
        hierarchy: Option<&str>,
    ) -> (bool, f64) {
        let csv = format!("x\n{}\n", table.join("\n"));
        let table = Table::from_csv(csv.as_bytes(), b',').unwrap();
        let column = &table.columns()[0];
        let hierarchy = hierarchy.map(|csv| Hierarchy::from_csv(csv.as_bytes(), b';').unwrap());
        let judge = Judge::new(model, column, hierarchy.as_ref());
        let mut class = Histogram::of(column.values().len());
        for &row in rows {
            class.add(column.codes()[row], 1);
        }
        (judge.accepts(&mut class), judge.distance(&mut class))
    }

    /// Salaries of the paper's example in §4.1, in thousands: {3, 4, 5} are 0.375 away, {6, 8, 11} are 0.167.
    const SALARIES: [&str; 9] = ["3", "4", "5", "6", "11", "8", "7", "9", "10"];

    #[test]
    fn the_examples_of_the_paper_on_t_closeness() {
        let model = |t| Model::TCloseness {
            t,
            distance: Distance::Ordered,
        };
        let (_, low) = judged(model(1.0), &SALARIES, &[0, 1, 2], None);
        assert!((low - 0.375).abs() < 1e-12, "{low}");
        let (_, spread) = judged(model(1.0), &SALARIES, &[3, 4, 5], None);
        assert!((spread - 1.0 / 6.0).abs() < 1e-12, "{spread}");
        assert!(judged(model(0.375 + 1e-9), &SALARIES, &[0, 1, 2], None).0);
        assert!(!judged(model(0.37), &SALARIES, &[0, 1, 2], None).0);
    }

    #[test]
    fn coded_ends_are_in_order_with_the_numbers() {
        let cells = ["≥90", "<18", "44", "9e1"];
        let csv = format!("age\n{}\n", cells.join("\n"));
        let table = crate::Table::from_csv(csv.as_bytes(), b',').unwrap();
        assert_eq!(in_order(&table.columns()[0]), [1, 2, 0, 3]);
    }

    #[test]
    fn equal_and_hierarchical_distance() {
        let table = ["flu", "cold", "ulcer", "gastritis"];
        let tree = "flu;lung;*\ncold;lung;*\nulcer;stomach;*\ngastritis;stomach;*\n";
        let model = |distance| Model::TCloseness { t: 0.5, distance };
        // Half a share each of two values that the class lacks.
        let equal = judged(model(Distance::Equal), &table, &[0, 2], None);
        assert_eq!(equal, (true, 0.5));
        // Moved within their groups, it costs half.
        let near = judged(model(Distance::Hierarchical), &table, &[0, 2], Some(tree));
        assert_eq!(near, (true, 0.25));
        // Two of one group: all that is moved is moved to the other one.
        let far = judged(model(Distance::Hierarchical), &table, &[0, 1], Some(tree));
        assert_eq!(far, (true, 0.5));
        let one = judged(model(Distance::Equal), &table, &[0], None);
        assert_eq!(one, (false, 0.75));
    }

    #[test]
    fn diversity_and_disclosure() {
        let table = ["a", "a", "a", "b", "b", "c", "c", "d"];
        let accepts = |model, rows: &[usize]| judged(model, &table, rows, None).0;
        let distinct = |l| Model::DistinctLDiversity { l };
        assert!(accepts(distinct(2), &[0, 1, 3]) && !accepts(distinct(3), &[0, 1, 3]));
        let entropy = |l| Model::EntropyLDiversity { l };
        assert!(accepts(entropy(2.0), &[0, 3]) && !accepts(entropy(2.0), &[0, 1, 3]));
        for l in 2..200_u32 {
            let values: Vec<String> = (0..l).map(|value| value.to_string()).collect();
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let rows: Vec<usize> = (0..l as usize).collect();
            let judged = |l| judged(entropy(l), &values, &rows, None).0;
            assert!(judged(f64::from(l)) && !judged(f64::from(l) + 1e-6), "{l}");
        }
        // Counts 3, 2, 1: 3 < c (2 + 1) for l = 2.
        let recursive = |c, l| Model::RecursiveLDiversity { c, l };
        let rows = [0, 1, 2, 3, 4, 5];
        assert!(accepts(recursive(1.01, 2), &rows) && !accepts(recursive(1.0, 2), &rows));
        assert!(accepts(recursive(3.01, 3), &rows) && !accepts(recursive(9.0, 4), &rows));
        for every_value in [false, true] {
            let delta = |delta| Model::DeltaDisclosure { delta, every_value };
            assert!(accepts(delta(0.01), &[0, 1, 2, 3, 4, 5, 6, 7]));
            // d is missing.
            assert_eq!(accepts(delta(9.0), &[0, 1, 2, 3, 4, 5, 6]), !every_value);
            assert!(accepts(delta(1.1), &[0, 3, 5, 7]) && !accepts(delta(1.0), &[0, 3, 5, 7]));
        }
    }

    #[test]
    fn parameters_that_mean_nothing_are_named() {
        let distance = Distance::Equal;
        for model in [
            Model::DistinctLDiversity { l: 0 },
            Model::EntropyLDiversity { l: 0.9 },
            Model::EntropyLDiversity { l: f64::NAN },
            Model::RecursiveLDiversity { c: 0.0, l: 1 },
            Model::RecursiveLDiversity { c: 1.0, l: 0 },
            Model::TCloseness { t: 1.1, distance },
            Model::DeltaDisclosure {
                delta: f64::INFINITY,
                every_value: false,
            },
        ] {
            assert!(model.fault().is_some(), "{model:?}");
        }
        assert_eq!(Model::TCloseness { t: 0.2, distance }.fault(), None);
    }

    proptest::proptest! {
        /// However a class is divided, the parts that are not accepted have as many rows as its verdict says.
        #[test]
        fn a_verdict_holds_of_parts(
            rows in proptest::collection::vec((0_u8..4, 0_u8..5, proptest::bool::ANY), 1..60),
            bound in 0.02..0.7_f64,
            which in 0_usize..4,
        ) {
            let distance = [Distance::Equal, Distance::Ordered, Distance::Hierarchical];
            let model = match distance.get(which) {
                Some(&distance) => Model::TCloseness { t: bound, distance },
                None => Model::EntropyLDiversity { l: 1.0 + 4.0 * bound },
            };
            let csv: String = rows.iter().map(|(value, ..)| format!("{value}\n")).collect();
            let table = Table::from_csv(format!("x\n{csv}").as_bytes(), b',').unwrap();
            let column = &table.columns()[0];
            let tree = Hierarchy::from_csv(b"0;a;*\n1;a;*\n2;b;*\n3;b;*\n", b';').unwrap();
            let judge = Judge::new(model, column, Some(&tree));
            let verdict = |wanted: &dyn Fn(u8, bool) -> bool| {
                let mut class = Histogram::of(column.values().len());
                for (&code, &(_, part, inside)) in column.codes().iter().zip(&rows) {
                    if wanted(part, inside) {
                        class.add(code, 1);
                    }
                }
                class.settle();
                (class.rows, (class.rows > 0).then(|| judge.verdict(&mut class)))
            };
            let (_, whole) = verdict(&|_, inside| inside);
            let rejected = (0..5).map(|number| match verdict(&|part, inside| inside && part == number) {
                (rows, Some(verdict)) if !verdict.accepts => rows,
                _ => 0,
            });
            let least = whole.map_or(0, |verdict| verdict.rejected_of_parts);
            proptest::prop_assert!(least <= rejected.sum::<u64>());
        }
    }
}
