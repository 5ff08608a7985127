//! HIPAA Safe Harbor: the eighteen identifiers of 45 CFR §164.514(b)(2)(i), judged line by line.
//!
//! [`safe_harbor()`] judges any table as it stands, so a second node comes to the same of the output alone. What it finds is
//! there; what it does not find may be there, and where a machine cannot tell, the line says so. That the custodian knows
//! nothing by which a person could be found, §164.514(b)(2)(ii), is the custodian's to say.
//!
//! A plan with `safe_harbor` has [`anonymise`](crate::anonymise) coarsen what it may (dates to their years, ages to `90+`,
//! postcodes to three digits or `000`) and release nothing in which a line is found.

pub(crate) mod age;
mod coarsen;
mod judge;
pub(crate) mod place;
pub(crate) mod postcode;
mod rule;
mod undecided;

pub use coarsen::Coarsened;
pub(crate) use coarsen::coarsened;
pub use judge::{Found, Line, SafeHarbor, Verdict, safe_harbor};
pub(crate) use judge::{identifiers_left, undeclared};
pub use postcode::RESTRICTED_PREFIXES;
pub use rule::SafeHarborRule;
