//! Dates shifted by a number of days of each person's own: when something was is no longer told, how long it took is.
//!
//! The method is that of MIMIC and of i2b2 (Hripcsak et al., 2016), with offsets that follow from the key of the pseudonyms.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::date::Written;
use crate::table::Column;

const DOMAIN: &[u8] = b"medshare/date-shift/v1";
/// The most days that a date may be shifted by: a century.
pub const MAX_SHIFT_DAYS: u16 = 36_525;

/// How the dates of a column are shifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateShift {
    /// The pseudonym column by which dates are of one person. All columns that name the same one are shifted alike.
    pub by: String,
    /// Up to how many days, forward or back; every number of days but 0 is as likely. From 1 to [`MAX_SHIFT_DAYS`].
    pub days: u16,
}

impl DateShift {
    /// What is wrong with its parameters, if anything.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let is_good = (1..=MAX_SHIFT_DAYS).contains(&self.days);
        (!is_good).then_some("dates are shifted by 1 day at least and 36525 at most")
    }
}

/// A date that would leave the years 0001 to 9999, by its row from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BeyondYears(pub(crate) usize);

/// Shifts every date by the offset of the person in the same row of `persons`, a column before it is made pseudonymous. Times of day and
/// zones stay. What is missing stays; a date without a person is left empty, as nothing says by how much it may be shifted.
pub(crate) fn shifted(
    dates: &Column,
    persons: &Column,
    days: u16,
    is_missing: &dyn Fn(&str) -> bool,
    key: &[u8; 32],
) -> Result<Column, BeyondYears> {
    let offsets = offsets(persons, days, key);
    let written: Vec<Option<Written<'_>>> = dates
        .values()
        .iter()
        .map(|value| Written::parse(value).filter(|_| !is_missing(value)))
        .collect();
    let mut values: Vec<Arc<str>> = dates.values().to_vec();
    values.push("".into());
    let nobody = dates.values().len() as u32;
    let mut codes = Vec::with_capacity(dates.codes().len());
    let mut known = HashMap::new();
    let rows = dates.codes().iter().zip(persons.codes());
    for (row, (&date, &person)) in rows.enumerate() {
        let code = match (written[date as usize], offsets[person as usize]) {
            (None, _) => date,
            (Some(_), None) => nobody,
            (Some(written), Some(offset)) => match known.entry((date, offset)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    let shifted = written.shifted(offset).ok_or(BeyondYears(row))?;
                    values.push(shifted.into());
                    *new.insert(values.len() as u32 - 1)
                }
            },
        };
        codes.push(code);
    }
    Ok(Column::of_texts(Arc::clone(dates.name()), &codes, &values))
}

/// Of each person, days from −N to N without 0: the first 16 bytes of
/// `HMAC-SHA256(key, "medshare/date-shift/v1" ‖ length of the column's name as u32 BE ‖ name ‖ value)`, big-endian, modulo 2 N; the
/// remainders from N on are the days from 1, and the others those before 0. What that is off from uniform is below 2^-100.
fn offsets(persons: &Column, days: u16, key: &[u8; 32]) -> Vec<Option<i64>> {
    let mut keyed = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    keyed.update(DOMAIN);
    keyed.update(&(persons.name().len() as u32).to_be_bytes());
    keyed.update(persons.name().as_bytes());
    let days = i64::from(days);
    let offset = |value: &Arc<str>| {
        let digest = keyed.clone().chain_update(value.as_bytes()).finalize();
        let (first, _) = digest
            .as_bytes()
            .split_first_chunk()
            .expect("a digest has 32 bytes");
        let drawn = u128::from_be_bytes(*first);
        let drawn = (drawn % (2 * days as u128)) as i64;
        if drawn < days {
            drawn - days
        } else {
            drawn - days + 1
        }
    };
    let persons = persons.values().iter();
    persons
        .map(|value| (!value.is_empty()).then(|| offset(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::table::Table;
    use proptest::prelude::*;

    fn shift(csv: &str, days: u16, key: u8) -> Result<Vec<String>, BeyondYears> {
        let table = Table::from_csv(csv.as_bytes(), b',').unwrap();
        let [persons, dates] = table.columns() else {
            panic!("two columns");
        };
        let column = shifted(
            dates,
            persons,
            days,
            &|cell| ["", "?"].contains(&cell),
            &[key; 32],
        )?;
        let cells = column.codes().iter();
        Ok(cells
            .map(|&code| column.values()[code as usize].to_string())
            .collect())
    }

    #[test]
    fn an_offset_is_the_documented_hmac() {
        // Python: int.from_bytes(hmac.new(bytes([7])*32, b"medshare/date-shift/v1" + (3).to_bytes(4, "big") + b"mrn" + b"A-17",
        // "sha256").digest()[:16], "big") % 730 is 131
        let table = Table::from_csv(b"mrn\nA-17\n", b',').unwrap();
        assert_eq!(offsets(&table.columns()[0], 365, &[7; 32]), [Some(-234)]);
    }

    #[test]
    fn what_is_missing_stays_and_nobodys_dates_go() {
        let cells = shift("mrn,day\n1,\n1,?\n,2020-01-01\n", 10, 7).unwrap();
        assert_eq!(cells, ["", "?", ""]);
    }

    #[test]
    fn a_date_beyond_the_years_is_an_error_of_its_row() {
        let csv = "mrn,day\n1,2020-01-01\n1,0001-01-01\n1,9999-12-31\n";
        assert!(matches!(shift(csv, 10, 7), Err(BeyondYears(1 | 2))));
    }

    #[test]
    fn offsets_are_spread_over_all_days_but_0() {
        let persons: String = (0..20_000).map(|person| format!("{person}\n")).collect();
        let table = Table::from_csv(format!("mrn\n{persons}").as_bytes(), b',').unwrap();
        let mut counts = [0_usize; 11];
        for offset in offsets(&table.columns()[0], 5, &[3; 32]) {
            counts[(offset.unwrap() + 5) as usize] += 1;
        }
        assert_eq!(counts[5], 0);
        counts[5] = 2_000;
        // Six standard deviations of a binomial distribution with n = 20,000 and p = 0.1.
        assert!(
            counts.iter().all(|count| count.abs_diff(2_000) < 255),
            "{counts:?}"
        );
    }

    proptest! {
        #[test]
        fn intervals_of_a_person_are_kept(
            first in 100_000..900_000_i64, after in 0..5_000_i64, person in "[a-z]{1,3}", days in 1..400_u16, key: u8, time in "(T1[0-9]:30(:00Z)?)?",
        ) {
            let start = Written::parse("0001-01-01").unwrap();
            let [one, other] = [first, first + after].map(|day| start.shifted(day).unwrap() + &time);
            let there = shift(&format!("mrn,day\n{person},{one}\n{person},{other}\n"), days, key).unwrap();
            let date = |text: &str| Written::parse(text).unwrap().date;
            prop_assert_eq!((date(&there[1]) - date(&there[0])).whole_days(), after);
            let moved = (date(&there[0]) - date(&one)).whole_days();
            prop_assert!(moved != 0 && moved.unsigned_abs() <= u64::from(days));
            prop_assert!(there.iter().all(|cell| cell.ends_with(&time)));
        }
    }
}
