//! The measures of a certificate that came after the first ones (SPEC §6.1). Fields are written in the order of their names.

use serde::{Deserialize, Deserializer, Serialize};

/// A share or a probability, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64")]
pub struct Share(f64);

/// A finite number that is not below 0.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64")]
pub struct Amount(f64);

/// A number out of its range, or with a sign.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} is out of range")]
pub struct OutOfRange(f64);

impl TryFrom<f64> for Share {
    type Error = OutOfRange;

    fn try_from(number: f64) -> Result<Self, OutOfRange> {
        let is_share = number.is_sign_positive() && number <= 1.0;
        is_share.then_some(Self(number)).ok_or(OutOfRange(number))
    }
}

impl TryFrom<f64> for Amount {
    type Error = OutOfRange;

    fn try_from(number: f64) -> Result<Self, OutOfRange> {
        let is_amount = number.is_sign_positive() && number.is_finite();
        is_amount.then_some(Self(number)).ok_or(OutOfRange(number))
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl From<Amount> for f64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

/// Probabilities that a record is found again, no population being known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risks {
    /// Classes ÷ people.
    pub journalist_average: Share,
    /// 1 ÷ people of the smallest class.
    pub journalist_highest: Share,
    /// The share of the rows that are linked correctly by chance.
    pub marketer: Share,
    /// Classes ÷ rows.
    pub prosecutor_average: Share,
    /// 1 ÷ rows of the smallest class.
    pub prosecutor_highest: Share,
}

/// What the classes tell of a sensitive column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// β of basic β-likeness.
    pub beta: Amount,
    /// Its name.
    pub column: String,
    /// δ of δ-disclosure privacy, bits; nothing: it holds for none.
    #[serde(deserialize_with = "present")]
    pub delta: Option<Amount>,
    /// [`Self::delta`] of the values that a class has.
    pub delta_present: Amount,
    /// l of distinct l-diversity.
    pub distinct_l: u64,
    /// l of entropy l-diversity.
    pub entropy_l: Amount,
    /// The share of the rows whose value is guessed with the class.
    pub guessed: Share,
    /// The share of the rows whose value is guessed without the class.
    pub guessed_blindly: Share,
    /// The least c of recursive (c, 2)-diversity; nothing: it holds for none.
    #[serde(deserialize_with = "present")]
    pub recursive_c: Option<Amount>,
    /// t of t-closeness, equal distance.
    pub t_equal: Share,
    /// t of t-closeness, hierarchical distance; nothing: not measured.
    #[serde(deserialize_with = "present")]
    pub t_hierarchical: Option<Share>,
    /// t of t-closeness, ordered distance; nothing: not measured.
    #[serde(deserialize_with = "present")]
    pub t_ordered: Option<Share>,
    /// Distinct values of the table.
    pub values: u64,
}

/// How a simulated attack went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linkage {
    /// Persons attacked.
    pub attacks: u64,
    /// The chance that somebody who knows the quasi-identifiers picks the right record.
    pub expected: Share,
    /// Persons whose very record was picked.
    pub successes: u64,
}

/// An identifier of 45 CFR §164.514(b)(2)(i).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SafeHarborLine {
    /// Where it was found.
    pub found: Vec<Found>,
    /// Its letter there.
    pub letter: char,
    /// Its name.
    pub rule: String,
    /// What a person has to judge.
    pub undecided: Vec<String>,
    /// What can be said.
    pub verdict: Verdict,
}

/// What a machine can say of one identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing was found.
    NoneFound,
    /// Nothing was found, and there is what a machine cannot judge.
    NotDecidable,
    /// All that was found is accepted by the custodian.
    Accepted,
    /// It is there.
    Found,
}

/// What was found in one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Whether the custodian accepts it.
    pub accepted: bool,
    /// Its name.
    pub column: String,
    /// Rows concerned.
    pub rows: u64,
    /// Which identifier it is.
    pub rule: String,
    /// What it looks like.
    pub what: String,
}

/// A field that may be null and has to be there: serde takes an `Option` for null that it does not find.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}
