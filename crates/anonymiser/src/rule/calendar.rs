//! Parts of a date, from the day to the decade.

use serde::{Deserialize, Serialize};

use crate::date::Partial;

/// What is left of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Calendar {
    /// `2020-01-31`: of use where cells have a time of day.
    Day,
    /// `2020-01`
    Month,
    /// `2020-Q1`
    Quarter,
    /// `2020`
    Year,
    /// `2020-2029`
    Decade,
}

impl Calendar {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
            Self::Decade => "decade",
        }
    }

    /// What is left of a date; of one that says less than that, what it says.
    fn label(self, date: Partial) -> String {
        let Partial { year, month, day } = date;
        match (self, month, day) {
            (Self::Decade, ..) => format!("{:04}-{:04}", year / 10 * 10, year / 10 * 10 + 9),
            (Self::Year, ..) | (_, None, _) => format!("{year:04}"),
            (Self::Quarter, Some(month), _) => format!("{year:04}-Q{}", month.div_ceil(3)),
            (Self::Day, Some(month), Some(day)) => format!("{year:04}-{month:02}-{day:02}"),
            (Self::Month | Self::Day, Some(month), _) => format!("{year:04}-{month:02}"),
        }
    }
}

/// What is wrong with the levels, if anything.
pub(super) fn fault(levels: &[Calendar]) -> Option<&'static str> {
    let grows = levels.windows(2).all(|pair| pair[0] < pair[1]);
    (!grows || levels.is_empty())
        .then_some("dates have one level at least, each coarser than the one before it")
}

/// What is left of a date at each level; `None` when the text is no date.
pub(super) fn labels(text: &str, levels: &[Calendar]) -> Option<Vec<String>> {
    let date = Partial::parse(text)?;
    Some(levels.iter().map(|level| level.label(date)).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ALL: [Calendar; 5] = [
        Calendar::Day,
        Calendar::Month,
        Calendar::Quarter,
        Calendar::Year,
        Calendar::Decade,
    ];

    #[test]
    fn a_date_loses_its_parts() {
        let of = |text| labels(text, &ALL).unwrap();
        let expected = ["2019-12-31", "2019-12", "2019-Q4", "2019", "2010-2019"];
        assert_eq!(of("2019-12-31"), expected);
        assert_eq!(of("2019-12-31T23:59:59+01:00"), expected);
        assert_eq!(
            of("2020-07"),
            ["2020-07", "2020-07", "2020-Q3", "2020", "2020-2029"]
        );
        assert_eq!(of("0001"), ["0001", "0001", "0001", "0001", "0000-0009"]);
        assert_eq!(labels("31.12.2019", &ALL), None);
    }

    #[test]
    fn levels_go_up() {
        assert_eq!(fault(&ALL), None);
        assert!(fault(&[]).is_some());
        assert!(fault(&[Calendar::Year, Calendar::Month]).is_some());
        assert!(fault(&[Calendar::Year, Calendar::Year]).is_some());
    }
}
