//! The risk that somebody is found again in a release, for three kinds of attackers (El Emam, Guide to the De-Identification
//! of Personal Health Information, 2013).
//!
//! A record of a class of `f` released rows is told apart from `f`, or by whoever does not know who is in the release from the
//! `F` people of the *population* who would be in the same class. Where no population is known, `F` is `f`.

use std::cmp::Reverse;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Who looks for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attacker {
    /// Looks for one person who is known to be in the release.
    Prosecutor,
    /// Looks for anybody of the population, to show that it can be done.
    Journalist,
    /// Links as many as possible to the population.
    Marketer,
}

/// Of which records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// Of the record that is found most easily.
    Highest,
    /// Over all of them.
    Average,
}

/// A limit that a release must keep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RiskLimit {
    /// Whose risk.
    pub attacker: Attacker,
    /// Which of them; a marketer's is an average.
    pub figure: Figure,
    /// A probability above 0, 1 at most.
    pub at_most: f64,
}

/// The risks of a release, probabilities from 0 (also where nothing is released) to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risks {
    /// 1 ÷ rows of the smallest class.
    pub prosecutor_highest: f64,
    /// Classes ÷ rows.
    pub prosecutor_average: f64,
    /// 1 ÷ people of the smallest class.
    pub journalist_highest: f64,
    /// The greater of classes ÷ people of these classes, and the marketer's.
    pub journalist_average: f64,
    /// The share of the rows that are linked correctly by chance.
    pub marketer: f64,
}

/// A class of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size {
    /// People of the population in it: at least as many as rows.
    pub(crate) people: u64,
    /// Rows of the release in it: one at least.
    pub(crate) rows: u64,
}

impl Size {
    /// Of rows of which no population is known.
    pub(crate) const fn alone(rows: usize) -> Self {
        let rows = rows as u64;
        Self { people: rows, rows }
    }
}

impl RiskLimit {
    /// What is wrong with it, if anything.
    #[must_use]
    pub fn fault(self) -> Option<&'static str> {
        if !(self.at_most > 0.0 && self.at_most <= 1.0) {
            return Some("a risk is a probability above 0, 1 at most");
        }
        let is_marketer = self.attacker == Attacker::Marketer;
        (is_marketer && self.figure == Figure::Highest).then_some("a marketer's risk is an average")
    }

    /// Whether it holds of each class by itself, or not at all.
    pub(crate) fn is_of_classes(self) -> bool {
        self.figure == Figure::Highest
    }

    /// Whether a release with this class, and whatever others, may keep the limit.
    pub(crate) fn allows(self, class: Size) -> bool {
        !self.is_of_classes() || self.holds(&Totals::default().with(class))
    }

    /// Whether a release of this class alone keeps the limit. Averages are no more than the greatest of their parts, so a release of
    /// classes that each do keeps it too.
    pub(crate) fn holds_alone(self, class: Size) -> bool {
        self.holds(&Totals::default().with(class))
    }

    fn holds(self, totals: &Totals) -> bool {
        self.is_kept(&totals.risks())
    }

    /// Whether these risks are within the limit.
    pub(crate) fn is_kept(self, risks: &Risks) -> bool {
        self.risk(risks) <= self.at_most
    }

    fn risk(self, risks: &Risks) -> f64 {
        match (self.attacker, self.figure) {
            (Attacker::Prosecutor, Figure::Highest) => risks.prosecutor_highest,
            (Attacker::Prosecutor, Figure::Average) => risks.prosecutor_average,
            (Attacker::Journalist, Figure::Highest) => risks.journalist_highest,
            (Attacker::Journalist, Figure::Average) => risks.journalist_average,
            (Attacker::Marketer, _) => risks.marketer,
        }
    }
}

impl fmt::Display for RiskLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attacker = match self.attacker {
            Attacker::Prosecutor => "prosecutor",
            Attacker::Journalist => "journalist",
            Attacker::Marketer => "marketer",
        };
        let figure = match self.figure {
            Figure::Highest => "highest",
            Figure::Average => "average",
        };
        write!(f, "the {attacker}'s {figure} risk of {}", self.at_most)
    }
}

/// Sums over classes, which are added one by one.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    classes: u64,
    rows: u64,
    people: u64,
    /// Of each class rows ÷ people.
    found: f64,
    /// The least of both; 0 when there are none.
    smallest: Option<Size>,
}

impl Totals {
    fn with(self, class: Size) -> Self {
        let smallest = self.smallest.unwrap_or(class);
        Self {
            classes: self.classes + 1,
            rows: self.rows + class.rows,
            people: self.people + class.people,
            found: self.found + class.rows as f64 / class.people as f64,
            smallest: Some(Size {
                people: smallest.people.min(class.people),
                rows: smallest.rows.min(class.rows),
            }),
        }
    }

    fn risks(&self) -> Risks {
        let Some(smallest) = self.smallest else {
            return Risks::default();
        };
        let marketer = self.found / self.rows as f64;
        Risks {
            prosecutor_highest: 1.0 / smallest.rows as f64,
            prosecutor_average: self.classes as f64 / self.rows as f64,
            journalist_highest: 1.0 / smallest.people as f64,
            journalist_average: marketer.max(self.classes as f64 / self.people as f64),
            marketer,
        }
    }
}

/// The risks of a release with these classes.
pub(crate) fn risks(classes: impl IntoIterator<Item = Size>) -> Risks {
    let totals = classes.into_iter().fold(Totals::default(), Totals::with);
    totals.risks()
}

/// Which of these classes, each with its number, have to be suppressed as well, so that the averages keep their limits: as few as can be,
/// the smallest first, of equal ones the last.
pub(crate) fn beyond(limits: &[RiskLimit], mut classes: Vec<(Size, usize)>) -> Vec<usize> {
    let averages = || limits.iter().filter(|limit| !limit.is_of_classes());
    if averages().next().is_none() {
        return Vec::new();
    }
    classes.sort_unstable_by_key(|(size, number)| (Reverse(*size), *number));
    let mut totals = Totals::default();
    let mut kept = 0;
    for (index, (class, _)) in classes.iter().enumerate() {
        totals = totals.with(*class);
        if averages().all(|limit| limit.holds(&totals)) {
            kept = index + 1;
        }
    }
    classes[kept..].iter().map(|(_, number)| *number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limit(attacker: Attacker, figure: Figure, at_most: f64) -> RiskLimit {
        RiskLimit {
            attacker,
            figure,
            at_most,
        }
    }

    fn size(rows: u64, people: u64) -> Size {
        Size { people, rows }
    }

    #[test]
    fn the_three_attackers_of_one_release() {
        // Of 10 people 2 are released, of 20 people 6, of 4 people all.
        let found = risks([size(2, 10), size(6, 20), size(4, 4)]);
        assert_eq!(found.prosecutor_highest, 0.5);
        assert_eq!(found.prosecutor_average, 0.25);
        assert_eq!(found.journalist_highest, 0.25);
        // 0.2 + 0.3 + 1 of 12 rows, against 3 classes of 34 people.
        assert_eq!(found.marketer, 0.125);
        assert_eq!(found.journalist_average, 0.125);
        assert_eq!(risks([size(1, 5)]).journalist_average, 0.2);
        assert_eq!(risks([]), Risks::default());
    }

    #[test]
    fn limits_that_mean_nothing_are_named() {
        use {Attacker::*, Figure::*};
        for at_most in [0.0, -0.1, 1.1, f64::NAN] {
            assert!(limit(Prosecutor, Average, at_most).fault().is_some());
        }
        assert!(limit(Marketer, Highest, 0.5).fault().is_some());
        assert!(limit(Marketer, Average, 1.0).fault().is_none());
        let text = limit(Journalist, Highest, 0.05).to_string();
        assert_eq!(text, "the journalist's highest risk of 0.05");
    }

    #[test]
    fn the_smallest_classes_go_first() {
        let average = limit(Attacker::Prosecutor, Figure::Average, 0.25);
        let classes = vec![
            (size(2, 2), 7),
            (size(9, 9), 8),
            (size(1, 1), 9),
            (size(3, 3), 4),
        ];
        // 4 classes of 15 rows are above a quarter, 3 of 14 are not.
        assert_eq!(beyond(&[average], classes), [9]);
        let never = limit(Attacker::Prosecutor, Figure::Average, 0.1);
        assert_eq!(beyond(&[never], vec![(size(5, 5), 0)]), [0]);
        let highest = limit(Attacker::Prosecutor, Figure::Highest, 0.1);
        assert_eq!(beyond(&[highest], vec![(size(5, 5), 0)]), [0; 0]);
        assert!(!highest.allows(size(9, 99)) && highest.allows(size(10, 10)));
    }

    proptest! {
        /// What is left keeps the limit, and one class more, the next in order, would not, nor would all of them.
        #[test]
        fn no_class_goes_without_need(sizes in prop::collection::vec((1_u64..20, 0_u64..20), 0..20), at_most in 0.01..1.0_f64) {
            let limits = [limit(Attacker::Prosecutor, Figure::Average, at_most)];
            let classes: Vec<(Size, usize)> = sizes
                .iter()
                .zip(0..)
                .map(|((rows, more), number)| (size(*rows, rows + more), number))
                .collect();
            let gone = beyond(&limits, classes.clone());
            let left = classes.iter().filter(|(_, number)| !gone.contains(number)).map(|(size, _)| *size);
            prop_assert!(risks(left.clone()).prosecutor_average <= at_most);
            if let Some(first) = gone.first() {
                let more = left.chain([classes[*first].0]);
                prop_assert!(risks(more).prosecutor_average > at_most);
            }
        }
    }
}
