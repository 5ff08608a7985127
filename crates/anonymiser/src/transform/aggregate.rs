//! Micro-aggregation without clustering: a numeric quasi-identifier takes no part in the search, and within each class that the
//! others make all of its cells become one (as ARX does; Domingo-Ferrer and Mateo-Sanz, 2002).
//!
//! A class so is one over all quasi-identifiers, the aggregated ones included. The loss does not count what is aggregated.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::number::Number;
use crate::search::Classes;
use crate::table::Column;

/// What stands for the numbers of a class.
///
/// A cell that is missing is not counted, and gets what stands for the others: a gap would split the class. Of a class with fewer
/// numbers than k, or with one alone, every cell is left empty: what stands for them would tell of fewer people than k.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregate {
    /// The arithmetic mean, rounded half away from zero to one decimal more than the column has.
    Mean,
    /// The geometric mean of numbers above 0, rounded to one decimal more than the column has.
    GeometricMean,
    /// The number in the middle; of an even count, the arithmetic mean of both, rounded as that is.
    Median,
    /// The number that occurs most often; of several, the least.
    Mode,
    /// The least and the greatest: `[20, 34]`. Both are numbers that somebody in the class has.
    Interval,
}

/// What is aggregated, and how many numbers it takes.
pub(crate) struct Aggregation<'a> {
    pub(crate) aggregate: Aggregate,
    pub(crate) least_count: usize,
    /// Decimals that the original column has.
    pub(crate) decimals: usize,
    pub(crate) is_missing: &'a dyn Fn(&str) -> bool,
}

impl Aggregate {
    /// What every value has to be, and whether this one is.
    pub(crate) fn expected(self) -> (&'static str, fn(&str) -> bool) {
        match self {
            Self::GeometricMean => ("numbers above 0", |cell| {
                Number::parse(cell).is_some_and(Number::is_positive)
            }),
            _ => ("numbers", |cell| Number::parse(cell).is_some()),
        }
    }

    /// Of one number at least, which are in order.
    fn of(self, numbers: &[Number], decimals: usize) -> String {
        let middle = numbers.len() / 2;
        match self {
            Self::Mean => Number::mean(numbers, decimals + 1).to_string(),
            Self::Median if numbers.len() % 2 == 1 => numbers[middle].to_string(),
            Self::Median => Number::mean(&numbers[middle - 1..=middle], decimals + 1).to_string(),
            Self::GeometricMean => geometric_mean(numbers, decimals + 1).to_string(),
            Self::Mode => mode(numbers).to_string(),
            Self::Interval => format!("[{}, {}]", numbers[0], numbers[numbers.len() - 1]),
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "arithmetic mean",
            Self::GeometricMean => "geometric mean",
            Self::Median => "median",
            Self::Mode => "mode",
            Self::Interval => "interval",
        })
    }
}

/// The column with one value for each class. Every known cell is what [`Aggregate::expected`] wants.
pub(crate) fn aggregated(column: &Column, classes: &Classes, how: &Aggregation<'_>) -> Column {
    let numbers: Vec<Option<Number>> = column
        .values()
        .iter()
        .map(|value| Number::parse(value).filter(|_| !(how.is_missing)(value)))
        .collect();
    let known = classes.of.iter().zip(column.codes());
    let mut known: Vec<(u32, Number)> = known
        .filter_map(|(&class, &code)| Some((class, numbers[code as usize]?)))
        .collect();
    // In order, so that no result depends on that of the rows.
    known.sort_unstable();
    let mut labels: Vec<Arc<str>> = vec!["".into(); classes.count];
    for class in known.chunk_by(|(one, _), (other, _)| one == other) {
        let numbers: Vec<Number> = class.iter().map(|(_, number)| *number).collect();
        if numbers.len() >= how.least_count {
            labels[class[0].0 as usize] = how.aggregate.of(&numbers, how.decimals).into();
        }
    }
    Column::recoded(
        Arc::clone(column.name()),
        classes.of.iter().copied(),
        &labels,
    )
}

fn geometric_mean(numbers: &[Number], decimals: usize) -> Number {
    let logarithms = numbers.iter().map(|number| libm::log(number.to_f64()));
    let mean = libm::exp(logarithms.sum::<f64>() / numbers.len() as f64);
    // Off by rounding it may lie outside of them, as a mean does not.
    let (least, greatest) = (numbers[0], numbers[numbers.len() - 1]);
    Number::from_f64(mean, decimals).map_or(greatest, |mean| mean.clamp(least, greatest))
}

fn mode(numbers: &[Number]) -> Number {
    let mut most = &numbers[..0];
    for alike in numbers.chunk_by(|one, other| one == other) {
        if alike.len() > most.len() {
            most = alike;
        }
    }
    most[0]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::table::Table;
    use proptest::prelude::*;

    fn of(aggregate: Aggregate, texts: &[&str]) -> String {
        let mut numbers: Vec<Number> = texts
            .iter()
            .map(|text| Number::parse(text).unwrap())
            .collect();
        numbers.sort();
        let decimals = numbers
            .iter()
            .map(|number| number.decimals())
            .max()
            .unwrap();
        aggregate.of(&numbers, decimals)
    }

    #[test]
    fn each_aggregate_is_what_its_name_says() {
        let ages = ["31", "20", "34", "20"];
        assert_eq!(of(Aggregate::Mean, &ages), "26.3"); // 26.25
        assert_eq!(of(Aggregate::Median, &ages), "25.5");
        assert_eq!(of(Aggregate::Median, &["9", "1", "2"]), "2");
        assert_eq!(of(Aggregate::Mode, &ages), "20");
        assert_eq!(of(Aggregate::Mode, &["3", "1", "3", "1"]), "1");
        assert_eq!(of(Aggregate::Interval, &ages), "[20, 34]");
        assert_eq!(of(Aggregate::GeometricMean, &["1", "10", "100"]), "10");
        assert_eq!(of(Aggregate::GeometricMean, &["2.5", "2.5"]), "2.5");
        assert_eq!(of(Aggregate::GeometricMean, &["1", "2"]), "1.4");
    }

    fn column(cells: &[&str]) -> Arc<Column> {
        let mut builder = Table::builder(vec!["n".into()]).unwrap();
        for cell in cells {
            builder.push_row([cell]).unwrap();
        }
        Arc::clone(&builder.finish().columns()[0])
    }

    #[test]
    fn a_class_becomes_one_and_says_nothing_of_few() {
        let classes = Classes {
            of: vec![0, 1, 0, 1, 2, 0],
            count: 3,
        };
        let cells = column(&["10", "?", "", "7", "5", "20"]);
        let how = Aggregation {
            aggregate: Aggregate::Mean,
            least_count: 2,
            decimals: 0,
            is_missing: &|cell| ["", "?"].contains(&cell),
        };
        let written = aggregated(&cells, &classes, &how);
        let written: Vec<&str> = written
            .codes()
            .iter()
            .map(|&code| &*written.values()[code as usize])
            .collect();
        assert_eq!(written, ["15", "", "15", "", "", "15"]);
    }

    proptest! {
        #[test]
        fn no_aggregate_lies_outside_of_its_numbers(cents in proptest::collection::vec(1..1_000_000_i64, 1..30)) {
            let texts: Vec<String> = cents.iter().map(|cents| format!("{}.{:02}", cents / 100, cents % 100)).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let mut numbers: Vec<Number> = texts.iter().map(|text| Number::parse(text).unwrap()).collect();
            numbers.sort();
            for aggregate in [Aggregate::Mean, Aggregate::GeometricMean, Aggregate::Median, Aggregate::Mode] {
                let one = Number::parse(&of(aggregate, &texts)).unwrap();
                prop_assert!(numbers[0] <= one && one <= numbers[numbers.len() - 1], "{aggregate}: {one}");
            }
        }
    }
}
