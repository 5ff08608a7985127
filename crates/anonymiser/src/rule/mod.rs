//! Hierarchies from rules: intervals, masks, dates, diagnoses and postcodes, built over the values that a column has.

mod calendar;
mod characters;
mod icd;
mod icd10_blocks;
mod intervals;
mod postcode;
mod words;

pub use calendar::Calendar;
pub use characters::End;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::hierarchy::{Hierarchy, HierarchyError, MAX_LEVELS};
use crate::number::Number;
use crate::transform::Coding;
use intervals::Intervals;

/// How the hierarchy of a column is made. Level 0 is always the value itself, and the last one is `*`; between them are the levels
/// that the rule names. A missing value stays as it is up to the last level.
///
/// ```
/// use medshare_anonymiser::Rule;
///
/// let rule: Rule = serde_json::from_str(r#"{"kind": "intervals", "widths": [5, 20], "upper": 90}"#)?;
/// let hierarchy = rule.hierarchy(["23", "61", "", "94"])?;
/// assert_eq!(
///     serde_json::to_string(&hierarchy)?,
///     r#"[["23","20-24","20-39","*"],["61","60-64","60-79","*"],["","","","*"],["94","≥90","≥90","*"]]"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum Rule {
    /// Numbers become half-open intervals. They are written `20-24` where all values and bounds are whole numbers and none lies
    /// below 0, and else `[20, 25)`.
    Intervals {
        /// Of the intervals of each level; each is a multiple of the one before it.
        widths: Vec<Number>,
        /// Where an interval begins.
        #[serde(default, skip_serializing_if = "is_zero")]
        origin: Number,
        /// What is below it is `<18` on every level above the value, and no interval reaches beyond.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lower: Option<Number>,
        /// It and what is above it is `≥90` on every level above the value, and no interval reaches beyond.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        upper: Option<Number>,
    },
    /// Characters become `*`, more of them on each level, as ARX's redaction does. A text that is shorter than the longest value
    /// is masked as if it were as long, with blanks at the other end that are not written.
    Mask {
        /// How many characters more on each level.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        step: usize,
        /// At which end masking begins.
        #[serde(default, skip_serializing_if = "is_right")]
        from: End,
    },
    /// Only the first characters are left, then `*`.
    Prefix {
        /// How many of them, level by level; each is less than the one before it.
        lengths: Vec<usize>,
    },
    /// ISO 8601 dates, with or without a time of day, lose their parts; the date is taken as it is written, whatever the zone.
    /// `2020-05` and `2020` are taken as well.
    Dates {
        /// What is left of a date, level by level.
        #[serde(default = "calendar", skip_serializing_if = "is_calendar")]
        levels: Vec<Calendar>,
    },
    /// Codes of ICD-10 become their category of three characters, their block and their chapter (WHO, version of 2019). Codes of
    /// national modifications are taken, with the WHO's blocks.
    Icd10 {},
    /// Codes of ICD-9-CM become their category of three digits and their chapter.
    Icd9 {},
    /// Codes of the United States Postal Service, of five or nine digits, become five digits, three and one.
    UsZip {
        /// Whether `000` takes the place of areas of three digits with 20,000 people or fewer (HIPAA Safe Harbor).
        #[serde(default, skip_serializing_if = "is_false")]
        safe_harbor: bool,
    },
    /// Postcodes of the United Kingdom become their sector, their district and their area.
    UkPostcode {},
}

/// Why a rule does not make a hierarchy of some values, none of which it quotes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The parameters mean nothing.
    #[error("{0}")]
    Fault(&'static str),
    /// Values are not of the kind that the rule is for.
    #[error("{values} distinct values are no {expected}")]
    Misfits {
        /// How many distinct ones.
        values: usize,
        /// Position of the first of them, from 0.
        first: usize,
        /// What they should be.
        expected: &'static str,
    },
    /// What the rule makes is no hierarchy: it has too many levels or values, or what stands for a missing value is also what the
    /// rule writes.
    #[error(transparent)]
    Hierarchy(#[from] HierarchyError),
}

/// Of a value the labels between it and `*`; `None` when it is not of the kind.
type Label<'a> = dyn Fn(&str) -> Option<Vec<String>> + 'a;

/// The levels between the value and `*`.
struct Labels<'a> {
    levels: usize,
    of: Box<Label<'a>>,
}

impl Rule {
    /// Makes the hierarchy of these values; one that is given again is taken once, and the empty one is missing.
    ///
    /// # Errors
    ///
    /// [`RuleError`]: a parameter is wrong, or values do not fit.
    pub fn hierarchy(
        &self,
        values: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Hierarchy, RuleError> {
        let mut seen = HashSet::new();
        let values = values.into_iter().map(|value| value.as_ref().to_owned());
        let values: Vec<String> = values.filter(|value| seen.insert(value.clone())).collect();
        self.build(&values, Coding::default(), &str::is_empty)
    }

    /// What is wrong with its parameters, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        match self {
            Self::Intervals {
                widths,
                lower,
                upper,
                ..
            } => {
                let ends = Coding {
                    bottom: *lower,
                    top: *upper,
                };
                intervals::fault(widths).or_else(|| ends.fault())
            }
            Self::Mask { step, .. } => {
                (*step == 0).then_some("a mask's step is one character at least")
            }
            Self::Prefix { lengths } => characters::fault_of_lengths(lengths),
            Self::Dates { levels } => calendar::fault(levels),
            Self::Icd10 {} | Self::Icd9 {} | Self::UsZip { .. } | Self::UkPostcode {} => None,
        }
    }

    /// Whether it understands a column whose ends are coded before.
    pub(crate) const fn takes_coding(&self) -> bool {
        matches!(
            self,
            Self::Intervals {
                lower: None,
                upper: None,
                ..
            }
        )
    }

    /// Makes the hierarchy of these distinct values, whose ends are coded so.
    pub(crate) fn build(
        &self,
        values: &[impl AsRef<str>],
        coding: Coding,
        is_missing: &dyn Fn(&str) -> bool,
    ) -> Result<Hierarchy, RuleError> {
        if let Some(fault) = self.fault() {
            return Err(RuleError::Fault(fault));
        }
        let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
        let known = values.iter().copied().filter(|value| !is_missing(value));
        let labels = self.labels(&known.collect::<Vec<_>>(), coding);
        let levels = labels.levels + 2;
        if levels > MAX_LEVELS {
            return Err(HierarchyError::TooManyLevels { levels }.into());
        }
        let mut misfits = Vec::new();
        let lines = values.iter().copied().enumerate();
        let lines = lines.filter_map(|(position, value)| {
            let between = if is_missing(value) {
                Some(vec![value.to_owned(); labels.levels])
            } else {
                (labels.of)(value)
            };
            if between.is_none() {
                misfits.push(position);
            }
            Some((value, between?))
        });
        let made = Hierarchy::of_lines(levels, lines)?;
        match misfits.first() {
            Some(&first) => Err(RuleError::Misfits {
                values: misfits.len(),
                first,
                expected: self.expected(),
            }),
            None => Ok(made),
        }
    }

    fn labels<'a>(&'a self, known: &[&str], coding: Coding) -> Labels<'a> {
        match self {
            Self::Intervals {
                widths,
                origin,
                lower,
                upper,
            } => {
                let bottom = lower.or(coding.bottom);
                let top = upper.or(coding.top);
                let intervals = Intervals::new(widths, *origin, Coding { bottom, top }, known);
                Labels::new(widths.len(), move |value| intervals.labels(value))
            }
            Self::Mask { step, from } => {
                let lengths = known.iter().map(|value| value.chars().count());
                let longest = lengths.max().unwrap_or(0);
                let levels = characters::mask_levels(longest, *step);
                Labels::new(levels, move |value| {
                    Some(characters::masked(value, longest, *step, *from))
                })
            }
            Self::Prefix { lengths } => Labels::new(lengths.len(), |value| {
                Some(characters::prefixes(value, lengths))
            }),
            Self::Dates { levels } => {
                Labels::new(levels.len(), |value| calendar::labels(value, levels))
            }
            Self::Icd10 {} => Labels::new(3, icd::icd10),
            Self::Icd9 {} => Labels::new(2, icd::icd9),
            Self::UsZip { safe_harbor } => {
                Labels::new(3, |value| postcode::us_zip(value, *safe_harbor))
            }
            Self::UkPostcode {} => Labels::new(3, postcode::uk_postcode),
        }
    }

    /// What every value should be.
    const fn expected(&self) -> &'static str {
        match self {
            Self::Intervals { .. } => "numbers",
            Self::Mask { .. } | Self::Prefix { .. } => "texts",
            Self::Dates { .. } => "ISO 8601 dates",
            Self::Icd10 {} => "codes of ICD-10",
            Self::Icd9 {} => "codes of ICD-9-CM",
            Self::UsZip { .. } => "ZIP codes",
            Self::UkPostcode {} => "postcodes of the United Kingdom",
        }
    }
}

impl<'a> Labels<'a> {
    fn new(levels: usize, of: impl Fn(&str) -> Option<Vec<String>> + 'a) -> Self {
        let of = Box::new(of);
        Self { levels, of }
    }
}

// What a rule is when a plan does not say it, and whether it is so.

fn is_zero(number: &Number) -> bool {
    *number == Number::default()
}

const fn one() -> usize {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
const fn is_one(step: &usize) -> bool {
    *step == 1
}

fn is_right(from: &End) -> bool {
    *from == End::Right
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
const fn is_false(value: &bool) -> bool {
    !*value
}

fn calendar() -> Vec<Calendar> {
    use Calendar::{Decade, Month, Quarter, Year};
    vec![Month, Quarter, Year, Decade]
}

fn is_calendar(levels: &Vec<Calendar>) -> bool {
    *levels == calendar()
}

#[cfg(test)]
mod tests;
