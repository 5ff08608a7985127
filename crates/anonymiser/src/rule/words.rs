//! What a rule does, in words.

use std::fmt;

use super::{End, Rule};
use crate::number::Number;

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |parts: Vec<String>| parts.join(", ");
        match self {
            Self::Intervals { widths, .. } => {
                write!(
                    f,
                    "intervals of {}",
                    joined(widths.iter().map(Number::to_string).collect())
                )
            }
            Self::Mask {
                from: End::Right, ..
            } => write!(f, "characters masked from the right"),
            Self::Mask {
                from: End::Left, ..
            } => write!(f, "characters masked from the left"),
            Self::Prefix { lengths } => {
                write!(
                    f,
                    "prefixes of {}",
                    joined(lengths.iter().map(usize::to_string).collect())
                )
            }
            Self::Dates { levels } => {
                write!(
                    f,
                    "dates by {}",
                    joined(levels.iter().map(|level| level.name().to_owned()).collect())
                )
            }
            Self::Icd10 {} => write!(f, "categories, blocks and chapters of ICD-10"),
            Self::Icd9 {} => write!(f, "categories and chapters of ICD-9-CM"),
            Self::UsZip { .. } => write!(f, "areas of ZIP codes"),
            Self::UkPostcode {} => write!(f, "sectors, districts and areas of postcodes"),
        }
    }
}
