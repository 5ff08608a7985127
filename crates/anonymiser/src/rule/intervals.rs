//! Intervals of numbers, each level's made of whole ones of the level below.

use crate::number::Number;
use crate::transform::Coding;

/// What is wrong with the parameters, if anything.
pub(super) fn fault(widths: &[Number]) -> Option<&'static str> {
    let Some(first) = widths.first() else {
        return Some("intervals have one width at least");
    };
    if !first.is_positive() {
        return Some("a width is above 0");
    }
    let grows = |pair: &[Number]| pair[0] < pair[1] && pair[1].is_multiple_of(pair[0]);
    (!widths.windows(2).all(grows))
        .then_some("each width is a multiple of the one before it, and larger")
}

/// Writes numbers as the intervals they lie in.
pub(super) struct Intervals<'a> {
    widths: &'a [Number],
    origin: Number,
    ends: Coding,
    style: Style,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `20-24`: of whole numbers from 0 up.
    Whole,
    /// `[20, 25)`: of all others.
    HalfOpen,
}

impl<'a> Intervals<'a> {
    /// For these values, of which those that are no numbers do not matter here.
    pub(super) fn new(widths: &'a [Number], origin: Number, ends: Coding, values: &[&str]) -> Self {
        let numbers = || {
            let numbers = values.iter().filter_map(|value| Number::parse(value));
            numbers.filter(|&number| ends.label(number).is_none())
        };
        let bounds = widths
            .iter()
            .copied()
            .chain([origin])
            .chain(ends.bottom)
            .chain(ends.top);
        let mut plain = Self {
            widths,
            origin,
            ends,
            style: Style::Whole,
        };
        let lowest = numbers().min().zip(widths.last());
        let is_from_zero = lowest
            .is_none_or(|(number, width)| plain.bounds(number, *width).0 >= Number::default());
        if !(is_from_zero && bounds.chain(numbers()).all(Number::is_whole)) {
            plain.style = Style::HalfOpen;
        }
        plain
    }

    /// The interval of each width; `None` when the value is neither a number nor coded as beyond an end.
    pub(super) fn labels(&self, value: &str) -> Option<Vec<String>> {
        let beyond = match Number::parse(value) {
            Some(number) => self.ends.label(number).ok_or(number),
            None if self.ends.is_label(value) => Ok(value.to_owned()),
            None => return None,
        };
        let widths = self.widths.iter();
        Some(match beyond {
            Ok(label) => vec![label; widths.len()],
            Err(number) => widths.map(|&width| self.label(number, width)).collect(),
        })
    }

    /// Of the interval that a number lies in, cut off at the ends of the column.
    fn bounds(&self, number: Number, width: Number) -> (Number, Number) {
        let low = number.floor_to(width, self.origin);
        let high = low.plus(width);
        (
            self.ends.bottom.map_or(low, |bottom| low.max(bottom)),
            self.ends.top.map_or(high, |top| high.min(top)),
        )
    }

    fn label(&self, number: Number, width: Number) -> String {
        let (low, high) = self.bounds(number, width);
        match self.style {
            Style::HalfOpen => format!("[{low}, {high})"),
            Style::Whole if high.predecessor() == low => low.to_string(),
            Style::Whole => format!("{low}-{}", high.predecessor()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn numbers(texts: &[&str]) -> Vec<Number> {
        texts
            .iter()
            .map(|text| Number::parse(text).unwrap())
            .collect()
    }

    fn labels(widths: &[&str], ends: Coding, value: &str, others: &[&str]) -> Vec<String> {
        let values: Vec<&str> = others.iter().copied().chain([value]).collect();
        let widths = numbers(widths);
        let intervals = Intervals::new(&widths, 0.into(), ends, &values);
        intervals.labels(value).unwrap()
    }

    #[test]
    fn whole_numbers_and_others_are_written_as_they_are_read() {
        let none = Coding::default();
        assert_eq!(
            labels(&["1", "5", "10"], none, "23", &[]),
            ["23", "20-24", "20-29"]
        );
        assert_eq!(labels(&["5"], none, "23", &["1.5"]), ["[20, 25)"]);
        assert_eq!(labels(&["5"], none, "-3", &[]), ["[-5, 0)"]);
        assert_eq!(
            labels(&["0.1", "0.5"], none, "0.3", &[]),
            ["[0.3, 0.4)", "[0, 0.5)"]
        );
    }

    #[test]
    fn the_ends_cut_intervals_off() {
        let ends = Coding {
            bottom: Some(18.into()),
            top: Some(90.into()),
        };
        let of = |value| labels(&["5", "20"], ends, value, &[]);
        assert_eq!(of("17"), ["<18", "<18"]);
        assert_eq!(of("≥90"), ["≥90", "≥90"]);
        assert_eq!(of("18"), ["18-19", "18-19"]);
        assert_eq!(of("89"), ["85-89", "80-89"]);
        let widths = numbers(&["5"]);
        let intervals = Intervals::new(&widths, 0.into(), ends, &[]);
        assert_eq!(intervals.labels("<17"), None);
    }

    #[test]
    fn widths_that_do_not_nest_are_refused() {
        assert_eq!(fault(&numbers(&["0.5", "1", "10"])), None);
        for bad in [
            &[][..],
            &["0"],
            &["-5"],
            &["5", "5"],
            &["5", "12"],
            &["10", "5"],
        ] {
            assert!(fault(&numbers(bad)).is_some(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_value_lies_in_each_of_its_intervals(
            thousandths in -100_000..100_000_i32, width in 1..500_i32, factor in 2..5_i32, origin in -50..50_i32,
        ) {
            let value = format!("{}{}.{:03}", if thousandths < 0 { "-" } else { "" }, thousandths.abs() / 1000, thousandths.abs() % 1000);
            let widths: Vec<Number> = vec![width.into(), (width * factor).into()];
            let intervals = Intervals::new(&widths, origin.into(), Coding::default(), &[&value, "0.5"]);
            let number = Number::parse(&value).unwrap();
            let mut outer: Option<(Number, Number)> = None;
            for label in intervals.labels(&value).unwrap().iter().rev() {
                let ends = label.strip_prefix('[').unwrap().strip_suffix(')').unwrap();
                let (low, high) = ends.split_once(", ").unwrap();
                let (low, high) = (Number::parse(low).unwrap(), Number::parse(high).unwrap());
                prop_assert!(low <= number && number < high, "{value} in {label}");
                prop_assert!(outer.is_none_or(|(least, most)| least <= low && high <= most));
                outer = Some((low, high));
            }
        }
    }
}
