//! Top and bottom coding: what is rare at the ends of a numeric column is said in one word.

use crate::number::Number;

/// Where a numeric column ends, if anywhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Coding {
    /// What is below it is written `<18`.
    pub(crate) bottom: Option<Number>,
    /// It and what is above it is written `≥90`.
    pub(crate) top: Option<Number>,
}

impl Coding {
    pub(crate) const fn is_none(&self) -> bool {
        self.bottom.is_none() && self.top.is_none()
    }

    /// What is wrong with it, if anything.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let (Some(bottom), Some(top)) = (self.bottom, self.top) else {
            return None;
        };
        (bottom >= top).then_some("nothing is left between the lower and the upper end")
    }

    /// What a number beyond an end is written as.
    pub(crate) fn label(&self, number: Number) -> Option<String> {
        match (self.bottom, self.top) {
            (Some(bottom), _) if number < bottom => Some(below(bottom)),
            (_, Some(top)) if number >= top => Some(from(top)),
            _ => None,
        }
    }

    /// Whether a text is one of the labels.
    pub(crate) fn is_label(&self, text: &str) -> bool {
        self.bottom.map(below).is_some_and(|label| label == text)
            || self.top.map(from).is_some_and(|label| label == text)
    }

    /// What a cell is written as, if something else; `Err` when it is neither a number nor coded already.
    pub(crate) fn code(&self, cell: &str) -> Result<Option<String>, ()> {
        match Number::parse(cell) {
            Some(number) => Ok(self.label(number)),
            None if self.is_label(cell) => Ok(None),
            None => Err(()),
        }
    }
}

fn below(bottom: Number) -> String {
    format!("<{bottom}")
}

fn from(top: Number) -> String {
    format!("≥{top}")
}

/// A number that orders a cell of a numeric column, ends included.
pub(crate) fn position(cell: &str) -> Option<f64> {
    let number = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite());
    match (cell.strip_prefix('<'), cell.strip_prefix('≥')) {
        (Some(bottom), _) => number(bottom).map(f64::next_down),
        (_, Some(top)) => number(top),
        _ => number(cell),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn coding() -> Coding {
        Coding {
            bottom: Some(18.into()),
            top: Some(90.into()),
        }
    }

    #[test]
    fn the_ends_are_said_in_one_word() {
        let coded = |cell: &str| {
            coding()
                .code(cell)
                .map(|label| label.unwrap_or(cell.into()))
        };
        for (cell, expected) in [
            ("17.9", "<18"),
            ("-3", "<18"),
            ("18", "18"),
            ("89.99", "89.99"),
            ("90", "≥90"),
            ("104", "≥90"),
            ("<18", "<18"),
            ("≥90", "≥90"),
        ] {
            assert_eq!(coded(cell), Ok(expected.into()), "{cell}");
        }
        for bad in ["", "?", "<17", "≥ 90", "ninety"] {
            assert_eq!(coded(bad), Err(()), "{bad}");
        }
        assert_eq!(coding().fault(), None);
        let empty = Coding {
            top: Some(18.into()),
            ..coding()
        };
        assert!(empty.fault().is_some());
    }

    #[test]
    fn the_ends_are_in_order_with_the_numbers() {
        let positions: Vec<f64> = ["<18", "18", "89.5", "≥90"]
            .map(|cell| position(cell).unwrap())
            .into();
        assert!(
            positions.is_sorted_by(|one, other| one < other),
            "{positions:?}"
        );
        assert_eq!(position("≥"), None);
        assert_eq!(position("inf"), None);
    }

    proptest! {
        #[test]
        fn coding_twice_is_coding_once(number in -200..200_i32) {
            let once = coding().code(&number.to_string()).unwrap().unwrap_or(number.to_string());
            prop_assert_eq!(coding().code(&once), Ok(None));
        }
    }
}
