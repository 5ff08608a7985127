//! What the second node measured (SPEC §6.1), and says with its signature.

use medshare_protocol::certificate::Certificate;
use medshare_protocol::form::certificates;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Assumption::{Algorithms, Keys};
use super::{Examination, Parent, counted};

const VALIDATION: &str = "validation.json";

impl Examination<'_> {
    /// The second node's certificate, which the form names.
    pub(super) fn certificate(&mut self, parent: &Parent) {
        let dossier = &self.evidence.dossier;
        let (signed, second) = (&dossier.validation.certificate, dossier.verifier);
        let payload_hash = parent.body.transaction.payload_hash;
        let package = self.evidence.subject.package;
        let opened = signed.open(&self.domain, package, payload_hash, second);
        let content = signed.content().to_string();
        let named = certificates(&dossier.form).eq([content.as_str()]);
        self.hold(named, VALIDATION, "the form names another certificate");
        match opened {
            Ok(measured) => {
                for what in measures(&measured) {
                    let what = format!(
                        "the second node certified what it measured on the output alone: {what}"
                    );
                    self.shows(VALIDATION, &[Algorithms, Keys], what);
                }
            }
            Err(error) => self.flaw(VALIDATION, error),
        }
    }
}

#[derive(Deserialize)]
struct Risks {
    prosecutor_highest: f64,
    prosecutor_average: f64,
    journalist_highest: f64,
    marketer: f64,
}

#[derive(Deserialize)]
struct Sensitive {
    column: String,
    distinct_l: u64,
    entropy_l: f64,
    t_equal: f64,
    t_ordered: Option<f64>,
    t_hierarchical: Option<f64>,
    delta: Option<f64>,
}

#[derive(Deserialize)]
struct Linkage {
    expected: f64,
    attacks: u64,
    successes: u64,
}

#[derive(Deserialize)]
struct Line {
    letter: String,
    verdict: String,
}

/// One sentence for each kind of measure that the certificate has.
fn measures(certificate: &Certificate) -> Vec<String> {
    let Certificate {
        risks,
        sensitive,
        linkage,
        safe_harbor,
        ..
    } = certificate;
    let mut all = vec![classes(certificate)];
    all.extend(read(risks).map(|risks: Risks| {
        format!(
            "a record is found again by a prosecutor with a probability of {:.4} at most and {:.4} on average, by a journalist who \
             knows no more than the release with {:.4} at most, by a marketer with {:.4}",
            risks.prosecutor_highest,
            risks.prosecutor_average,
            risks.journalist_highest,
            risks.marketer,
        )
    }));
    let sensitive: Vec<Sensitive> = read(sensitive).unwrap_or_default();
    all.extend(sensitive.iter().map(disclosed));
    all.extend(read(linkage).map(|linkage: Linkage| {
        format!(
            "who knows all quasi-identifiers picks the right record with a probability of {:.4}; {} of {} did",
            linkage.expected,
            linkage.successes,
            counted(usize::try_from(linkage.attacks).unwrap_or(usize::MAX), "simulated attack"),
        )
    }));
    let lines: Vec<Line> = read(safe_harbor).unwrap_or_default();
    all.extend((!lines.is_empty()).then(|| of_safe_harbor(&lines)));
    all
}

/// Fields that a certificate may lack are no more than the node's word: what cannot be read is not told.
fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

fn classes(measured: &Certificate) -> String {
    format!(
        "{} in {} classes, the smallest of {} ({} promised), {:.4} of the rows alone in their class, {} left, sensitivity {:?}",
        counted(measured.rows as usize, "row"),
        measured.classes,
        measured.k,
        measured.promised_k,
        measured.unique_share,
        counted(measured.identifiers.len(), "identifier"),
        measured.sensitivity,
    )
}

fn disclosed(of: &Sensitive) -> String {
    let mut what = format!(
        "of {}: l = {} (distinct), {:.2} (entropy), t = {:.4} (equal distance)",
        of.column, of.distinct_l, of.entropy_l, of.t_equal
    );
    let more = [
        (of.t_ordered, "ordered"),
        (of.t_hierarchical, "hierarchical"),
    ];
    for (t, distance) in more {
        what.extend(t.map(|t| format!(", {t:.4} ({distance})")));
    }
    what.extend(of.delta.map(|delta| format!(", δ = {delta:.4}")));
    what
}

/// The letters of 45 CFR §164.514(b)(2)(i), by what was said of them.
fn of_safe_harbor(lines: &[Line]) -> String {
    let verdicts = [
        ("none-found", "nothing found of"),
        ("accepted", "accepted by the custodian"),
        ("not-decidable", "no program can decide"),
        ("found", "found"),
    ];
    let told = verdicts.iter().filter_map(|(verdict, what)| {
        let letters = lines.iter().filter(|line| line.verdict == *verdict);
        let letters: Vec<_> = letters.map(|line| line.letter.as_str()).collect();
        (!letters.is_empty()).then(|| format!("{what} {}", letters.join(", ")))
    });
    let told: Vec<_> = told.collect();
    format!("HIPAA's identifiers: {}", told.join("; "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn certificate(more: &Value) -> Certificate {
        let mut text = json!({
            "version": 1, "package": format!("0x{:064}", 1), "payload_hash": format!("0x{:064}", 2), "time": 3,
            "promised_k": 5, "k": 9, "classes": 16, "rows": 294, "unique_share": 0.0, "identifiers": [],
            "sensitivity": "high", "reasons": [],
        });
        for (name, value) in more.as_object().unwrap() {
            text[name] = value.clone();
        }
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn each_measure_is_told() {
        let told = measures(&certificate(&json!({
            "risks": {"prosecutor_highest": 0.2, "prosecutor_average": 0.1, "journalist_highest": 0.2,
                "journalist_average": 0.1, "marketer": 0.1},
            "sensitive": [{"column": "diagnosis", "distinct_l": 3, "entropy_l": 2.5, "t_equal": 0.25, "t_ordered": null,
                "t_hierarchical": 0.125, "delta": null, "values": 9}],
            "linkage": {"expected": 0.0544, "attacks": 294, "successes": 17},
            "safe_harbor": [{"letter": "A", "verdict": "not-decidable"}, {"letter": "B", "verdict": "none-found"},
                {"letter": "C", "verdict": "none-found"}],
        })));
        let expected = [
            "294 rows in 16 classes, the smallest of 9 (5 promised)",
            "by a prosecutor with a probability of 0.2000 at most and 0.1000 on average",
            "of diagnosis: l = 3 (distinct), 2.50 (entropy), t = 0.2500 (equal distance), 0.1250 (hierarchical)",
            "with a probability of 0.0544; 17 of 294 simulated attacks did",
            "HIPAA's identifiers: nothing found of B, C; no program can decide A",
        ];
        assert_eq!(told.len(), expected.len());
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn what_is_not_there_or_cannot_be_read_is_not_told() {
        assert_eq!(measures(&certificate(&json!({}))).len(), 1);
        let odd =
            json!({"risks": 7, "sensitive": {}, "linkage": {"expected": 1}, "safe_harbor": [1]});
        assert_eq!(measures(&certificate(&odd)).len(), 1);
    }
}
