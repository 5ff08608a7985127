//! Anonymisation of tables: a table in; a release, its risk and its loss out (P12).
//!
//! The crate is pure: no I/O, no clock, no hidden randomness. The same table, plan and key give
//! the same bytes on every run, which is what lets a second node measure the first one's work
//! (P13).
//!
//! # Map
//!
//! | module | what it holds |
//! |---|---|
//! | [`table`] | [`Table`]: dictionary-encoded columns, CSV in and out |
//! | [`hierarchy`] | [`Hierarchy`]: what each value becomes at each level, in ARX's CSV form |
//! | [`plan`] | [`Plan`]: the role of each column and the privacy model, as the custodian declares |
//! | [`rule`] | [`Rule`]: a hierarchy from a rule: intervals, masks, dates, diagnoses, postcodes |
//! | [`transform`] | what is done besides: coded ends, [aggregates](Aggregate), [shifted dates](DateShift), scrubbed text |
//! | [`number`] | [`Number`]: exact decimals, which bounds and widths are |
//! | [`metric`] | [`Metric`]: what a release costs, which is to be least |
//! | [`effort`] | [`Effort`] and [`Method`]: how far the search goes, and how values are generalised |
//! | [`models`] | [`Model`]: l-diversity, t-closeness and δ-disclosure of sensitive columns |
//! | [`risk`] | [`Risks`]: of prosecutor, journalist and marketer, and limits of them |
//! | [`release`] | [`anonymise`]: the release and its [`Report`] |
//! | [`ranking`] | [`rank`]: low or high sensitivity, with reasons |
//! | [`promises`](mod@promises) | [`promises()`]: whether a table keeps what a plan promises |
//! | [`safe_harbor`](mod@safe_harbor) | [`safe_harbor()`]: the eighteen identifiers of HIPAA, line by line |
//! | [`measure`](mod@measure) | [`measure()`]: k, classes and leftover identifiers of any table |
//! | [`disclosure`] | [`Disclosure`]: l, t and the like, as measured, of each sensitive column |
//! | [`linkage`](mod@linkage) | [`linkage()`]: an attack on a release by whoever knows the quasi-identifiers |
//!
//! Inside: `mondrian` cuts a table class by class, `search` finds the optimal level of each quasi-identifier, `pseudonym` keys
//! pseudonyms, `detector` recognises identifiers by name and shape; [`spans`] tells where in a text they stand, `date` knows the calendar.
//!
//! # What a release is
//!
//! No column of it identifies by itself: what a detector finds in it stops it, unless the column accepts the rule. A plan may ask for
//! all of HIPAA Safe Harbor besides ([`safe_harbor`](mod@safe_harbor)).
//!
//! Identifiers are dropped, pseudonyms replaced by keyed ones, and quasi-identifiers written at
//! one level of their hierarchy each (full-domain generalisation) so that every combination
//! occurs at least k times, and the sensitive values under it meet the models of their columns. Rows that stand in the way are dropped, up to the suppression limit.
//! Of all ways to do so the one of least cost is taken, by Loss or another [`Metric`], and it is provably the least: the search
//! ends only when no unchecked combination can cost less (`search`).
//!
//! Free text is dropped, as nothing finds the names in it; dates may be shifted, and rare numbers at either end coded, before the
//! search. Numeric quasi-identifiers may be left out of the search, and become one value in each of its classes.
//!
//! # Example
//!
//! ```
//! use medshare_anonymiser::{Hierarchy, Plan, Sensitivity, Table, anonymise, measure, rank};
//!
//! let table = Table::from_csv(
//!     b"name,age,diagnosis\nAda,31,E11\nBob,34,I10\nCid,47,E11\nDot,42,J45\n",
//!     b',',
//! )?;
//! let mut plan: Plan = serde_json::from_str(r#"{
//!     "columns": [
//!         {"name": "name", "role": "identifier"},
//!         {"name": "age", "role": "quasi-identifier"},
//!         {"name": "diagnosis", "role": "sensitive"}
//!     ],
//!     "privacy": {"k": 2, "suppression_limit": 0.0}
//! }"#)?;
//! plan.columns[1].hierarchy = Some(Hierarchy::from_csv(
//!     b"31;30-39;*\n34;30-39;*\n42;40-49;*\n47;40-49;*\n",
//!     b';',
//! )?);
//! assert_eq!(rank(&table, &plan).sensitivity, Sensitivity::High);
//!
//! let release = anonymise(&table, &plan, &[0x17; 32])?;
//! assert_eq!(
//!     String::from_utf8(release.table.to_csv())?,
//!     "age,diagnosis\n30-39,E11\n30-39,I10\n40-49,E11\n40-49,J45\n",
//! );
//! assert_eq!(release.report.levels, [("age".to_owned(), 1, 3)]);
//!
//! // Whoever holds the release can measure it without the original.
//! let measures = measure(&release.table, &plan);
//! assert_eq!(measures.k, 2);
//! assert!(measures.identifiers.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A hierarchy need not be written value by value, and not everything is generalised:
//!
//! ```
//! use medshare_anonymiser::{Plan, Table, anonymise};
//!
//! let table = Table::from_csv(
//!     b"mrn,age,weight,seen,note\n\
//!       1,93,61,2020-03-01,call 212-555-0123\n\
//!       2,97,70,2020-03-02,\n\
//!       3,41,80,2020-03-02,well\n\
//!       4,44,75,2020-03-05,mail ada@clinic.example\n",
//!     b',',
//! )?;
//! let plan: Plan = serde_json::from_str(r#"{
//!     "columns": [
//!         {"name": "mrn", "role": "pseudonym"},
//!         {"name": "age", "role": "quasi-identifier", "top": 90, "rule": {"kind": "intervals", "widths": [5, 10]}},
//!         {"name": "weight", "role": "quasi-identifier", "aggregate": "mean"},
//!         {"name": "seen", "role": "plain", "shift": {"by": "mrn", "days": 180}},
//!         {"name": "note", "role": "text", "scrub": true}
//!     ],
//!     "privacy": {"k": 2, "suppression_limit": 0.0}
//! }"#)?;
//! let release = anonymise(&table, &plan, &[0x17; 32])?;
//! let shown = release.table.select(&[1, 2, 4]);
//! assert_eq!(
//!     String::from_utf8(shown.to_csv())?,
//!     "age,weight,note\n\
//!      ≥90,65.5,call [phone]\n\
//!      ≥90,65.5,\n\
//!      40-44,77.5,well\n\
//!      40-44,77.5,mail [email]\n",
//! );
//! assert_eq!(
//!     release.report.transformations[1].1,
//!     "coded as ≥90 from 90 up; generalised by intervals of 5, 10, to level 1 of 3",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod date;
mod delimited;
mod detector;
pub mod disclosure;
pub mod effort;
pub mod hierarchy;
pub mod linkage;
pub mod measure;
pub mod metric;
pub mod models;
mod mondrian;
pub mod number;
pub mod plan;
pub mod promises;
mod pseudonym;
pub mod ranking;
pub mod release;
pub mod risk;
pub mod rule;
pub mod safe_harbor;
mod search;
pub mod table;
pub mod transform;

pub use delimited::TextError;
pub use detector::spans;
pub use disclosure::Disclosure;
pub use effort::{Effort, Method};
pub use hierarchy::{Hierarchy, HierarchyError};
pub use linkage::{Linkage, LinkageError, Linked, linkage};
pub use measure::{Essentials, Measures, essentials, measure};
pub use metric::Metric;
pub use models::{Distance, Model};
pub use number::Number;
pub use plan::{ColumnPlan, Plan, PlanError, Privacy, Role};
pub use promises::{Promises, promises};
pub use ranking::{Ranking, Sensitivity, rank};
pub use release::{
    AnonymiseError, Anonymised, Report, anonymise, anonymise_until, anonymise_within,
};
pub use risk::{Attacker, Figure, RiskLimit, Risks};
pub use rule::{Rule, RuleError};
pub use safe_harbor::{SafeHarbor, SafeHarborRule, safe_harbor};
pub use table::{Table, TableBuilder, TableError};
pub use transform::{Aggregate, DateShift};
