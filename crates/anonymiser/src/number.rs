//! Decimal numbers, exact: a value that lies on a bound lies on it whatever its decimals, and sums do not depend on their
//! order.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::table::MAX_ROWS;

/// Decimals that are kept. A double-precision number as programs write it (17 digits) keeps what matters of it.
const DECIMALS: usize = 16;
/// Digits before the point.
const WHOLE_DIGITS: usize = 14;
const ONE: i128 = 10_i128.pow(DECIMALS as u32);

// The sum over all rows of a table fits.
const _: () = assert!(
    10_i128.pow((WHOLE_DIGITS + DECIMALS) as u32) <= i128::MAX / MAX_ROWS as i128,
    "a sum over a whole table could overflow"
);

/// A decimal number of at most 14 digits before the point. Of the digits behind it 16 are kept, and what comes after is cut
/// off downwards, so that no number crosses a bound. Serialised as a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(i128);

impl Number {
    /// Reads `-12.50` or `1.25e1`, without blanks and without separators of thousands; `None` when it is no such number, or has
    /// too many digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i8>().ok()?),
            None => (text, 0),
        };
        let (is_negative, magnitude) = match mantissa.strip_prefix('-') {
            Some(magnitude) => (true, magnitude),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, decimals) = magnitude.split_once('.').unwrap_or((magnitude, ""));
        let is_of_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let has_digits = !(whole.is_empty() && decimals.is_empty());
        if !(has_digits && is_of_digits(whole) && is_of_digits(decimals)) {
            return None;
        }
        let digits: Vec<u8> = whole.bytes().chain(decimals.bytes()).collect();
        let kept = whole.len() as i64 + i64::from(exponent) + DECIMALS as i64;
        let (units, is_cut) = units(&digits, kept)?;
        let units = match (is_negative, is_cut) {
            (false, _) => units,
            (true, false) => -units,
            (true, true) => -units - 1,
        };
        (units.abs() < ONE * 10_i128.pow(WHOLE_DIGITS as u32)).then_some(Self(units))
    }

    /// The greatest multiple of `width`, counted from `origin`, that is not above.
    pub(crate) fn floor_to(self, width: Self, origin: Self) -> Self {
        Self((self.0 - origin.0).div_euclid(width.0) * width.0 + origin.0)
    }

    pub(crate) const fn is_positive(self) -> bool {
        self.0 > 0
    }

    pub(crate) const fn is_whole(self) -> bool {
        self.0 % ONE == 0
    }

    /// Whether it is so many times another one, without a rest.
    pub(crate) const fn is_multiple_of(self, other: Self) -> bool {
        self.0 % other.0 == 0
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// The whole number before it.
    pub(crate) const fn predecessor(self) -> Self {
        Self(self.0 - ONE)
    }

    /// How many digits behind the point it needs.
    pub(crate) fn decimals(self) -> usize {
        (0..DECIMALS)
            .find(|&decimals| self.0 % 10_i128.pow((DECIMALS - decimals) as u32) == 0)
            .unwrap_or(DECIMALS)
    }

    /// The arithmetic mean of one number at least, rounded to so many decimals, half away from zero.
    pub(crate) fn mean(numbers: &[Self], decimals: usize) -> Self {
        let sum: i128 = numbers.iter().map(|number| number.0).sum();
        let count = numbers.len() as i128;
        let step = 10_i128.pow(DECIMALS.saturating_sub(decimals) as u32);
        // In halves of steps, and then away from zero: the same as rounding the exact fraction.
        let halves = sum / (count * step) * 2 + sum % (count * step) * 2 / (count * step);
        Self((halves + halves.signum()) / 2 * step)
    }

    pub(crate) fn to_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }

    /// The nearest number of so many decimals; `None` when it has too many digits.
    pub(crate) fn from_f64(number: f64, decimals: usize) -> Option<Self> {
        Self::parse(&format!("{number:.decimals$}"))
    }
}

/// The number that the first `kept` digits make, filled up with zeros; whether a digit other than 0 was cut off.
fn units(digits: &[u8], kept: i64) -> Option<(i128, bool)> {
    let mut units = 0_i128;
    for place in 0..kept.max(0) as usize {
        let digit = digits
            .get(place)
            .map_or(0, |digit| i128::from(digit - b'0'));
        units = units.checked_mul(10)?.checked_add(digit)?;
    }
    let rest = digits.get(kept.max(0) as usize..).unwrap_or_default();
    let is_cut = rest.iter().any(|&digit| digit != b'0');
    Some((units, is_cut))
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (whole, rest) = (magnitude / ONE as u128, magnitude % ONE as u128);
        let sign = if self.0 < 0 { "-" } else { "" };
        if rest == 0 {
            return write!(formatter, "{sign}{whole}");
        }
        let decimals = format!("{rest:0DECIMALS$}");
        write!(
            formatter,
            "{sign}{whole}.{}",
            decimals.trim_end_matches('0')
        )
    }
}

impl From<i32> for Number {
    fn from(number: i32) -> Self {
        Self(i128::from(number) * ONE)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_whole() {
            serializer.serialize_i64((self.0 / ONE) as i64)
        } else {
            serializer.serialize_f64(self.to_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Number;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    formatter,
                    "a number of at most {WHOLE_DIGITS} digits before the point"
                )
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                self.visit_str(&number.to_string())
            }

            // The shortest text that gives the same double is what was written.
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                Number::parse(text)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Other("another"), &self))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_read_and_written() {
        for (text, shown) in [
            ("0", "0"),
            ("-0", "0"),
            ("007", "7"),
            ("+12.50", "12.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-0.30000000000000004", "-0.3000000000000001"),
            ("0.30000000000000004", "0.3"),
            ("1.25e1", "12.5"),
            ("1e-05", "0.00001"),
            ("-1e-99", "-0.0000000000000001"),
            ("99999999999999", "99999999999999"),
        ] {
            assert_eq!(number(text).to_string(), shown, "{text}");
        }
        for bad in [
            "",
            "-",
            ".",
            "1,5",
            "1 ",
            "1_0",
            "0x1",
            "1e",
            "1e999",
            "nan",
            "inf",
            "--1",
            "1e14",
            "٣",
            "100000000000000",
            "-100000000000000",
        ] {
            assert_eq!(Number::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_numbers_in_json() {
        for json in ["18", "-3", "0.1", "2.5"] {
            let number: Number = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&number).unwrap(), json);
        }
        assert!(serde_json::from_str::<Number>("1e300").is_err());
    }

    #[test]
    fn means_are_rounded_half_away_from_zero() {
        let mean = |texts: &[&str], decimals| {
            let numbers: Vec<Number> = texts.iter().map(|text| number(text)).collect();
            Number::mean(&numbers, decimals).to_string()
        };
        assert_eq!(mean(&["1", "2"], 0), "2");
        assert_eq!(mean(&["-1", "-2"], 0), "-2");
        assert_eq!(mean(&["1", "2"], 1), "1.5");
        assert_eq!(mean(&["1", "1", "2"], 2), "1.33");
        assert_eq!(mean(&["1", "2", "2"], 2), "1.67");
        assert_eq!(
            mean(&["99999999999999", "99999999999999"], 1),
            "99999999999999"
        );
    }

    #[test]
    fn decimals_are_those_needed() {
        for (text, decimals) in [
            ("5", 0),
            ("5.10", 1),
            ("-0.25", 2),
            ("0.0000000000000001", 16),
        ] {
            assert_eq!(number(text).decimals(), decimals, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(units in -10_i128.pow(29)..10_i128.pow(29)) {
            prop_assert_eq!(number(&Number(units).to_string()), Number(units));
        }

        #[test]
        fn a_floor_is_at_most_a_width_below(
            units in -10_i128.pow(29)..10_i128.pow(29), width in 1..10_i128.pow(20), origin in -10_i128.pow(20)..10_i128.pow(20),
        ) {
            let floor = Number(units).floor_to(Number(width), Number(origin));
            prop_assert!(floor.0 <= units && units < floor.0 + width);
            prop_assert_eq!((floor.0 - origin).rem_euclid(width), 0);
        }

        #[test]
        fn any_text_is_a_number_or_none(text in "[-+0-9.eE]{0,40}|\\PC{0,10}") {
            if let Some(number) = Number::parse(&text) {
                prop_assert!(text.parse::<f64>().is_ok_and(|float| (float - number.to_f64()).abs() <= 1e-15 * float.abs().max(1.0)));
            }
        }
    }
}
