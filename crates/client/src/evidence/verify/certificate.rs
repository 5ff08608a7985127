//! What the second node measured (SPEC §6.1), and says with its signature.

use medshare_protocol::certificate::{Certificate, Disclosure, SafeHarborLine, Verdict};
use medshare_protocol::form::certificates;

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

/// One sentence for each kind of measure that the certificate has.
fn measures(certificate: &Certificate) -> Vec<String> {
    let mut all = vec![classes(certificate)];
    all.extend(certificate.risks.as_ref().map(|risks| {
        format!(
            "a record is found again by a prosecutor with a probability of {:.4} at most and {:.4} on average, by a journalist who \
             knows no more than the release with {:.4} at most, by a marketer with {:.4}",
            f64::from(risks.prosecutor_highest),
            f64::from(risks.prosecutor_average),
            f64::from(risks.journalist_highest),
            f64::from(risks.marketer),
        )
    }));
    all.extend(certificate.sensitive.iter().flatten().map(disclosed));
    all.extend(certificate.linkage.as_ref().map(|linkage| {
        format!(
            "who knows all quasi-identifiers picks the right record with a probability of {:.4}; {} of {} did",
            f64::from(linkage.expected),
            linkage.successes,
            counted(usize::try_from(linkage.attacks).unwrap_or(usize::MAX), "simulated attack"),
        )
    }));
    all.extend(certificate.safe_harbor.as_deref().map(of_safe_harbor));
    all
}

fn classes(measured: &Certificate) -> String {
    format!(
        "{} in {} classes, the smallest of {} ({} promised), {:.4} of the rows alone in their class, {} left, sensitivity {:?}",
        counted(measured.rows as usize, "row"),
        measured.classes,
        measured.k,
        measured.promised_k,
        f64::from(measured.unique_share),
        counted(measured.identifiers.len(), "identifier"),
        measured.sensitivity,
    )
}

fn disclosed(of: &Disclosure) -> String {
    let mut what = format!(
        "of {}: l = {} (distinct), {:.2} (entropy), t = {:.4} (equal distance)",
        of.column,
        of.distinct_l,
        f64::from(of.entropy_l),
        f64::from(of.t_equal)
    );
    let more = [
        (of.t_ordered, "ordered"),
        (of.t_hierarchical, "hierarchical"),
    ];
    for (t, distance) in more {
        what.extend(t.map(|t| format!(", {:.4} ({distance})", f64::from(t))));
    }
    what.extend(
        of.delta
            .map(|delta| format!(", δ = {:.4}", f64::from(delta))),
    );
    what
}

/// The letters of 45 CFR §164.514(b)(2)(i), by what was said of them.
fn of_safe_harbor(lines: &[SafeHarborLine]) -> String {
    let verdicts = [
        (Verdict::NoneFound, "nothing found of"),
        (Verdict::Accepted, "accepted by the custodian"),
        (Verdict::NotDecidable, "no program can decide"),
        (Verdict::Found, "found"),
    ];
    let told = verdicts.iter().filter_map(|(verdict, what)| {
        let letters = lines.iter().filter(|line| line.verdict == *verdict);
        let letters: Vec<_> = letters.map(|line| line.letter.to_string()).collect();
        (!letters.is_empty()).then(|| format!("{what} {}", letters.join(", ")))
    });
    let told: Vec<_> = told.collect();
    format!("HIPAA's identifiers: {}", told.join("; "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

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

    fn line(letter: &str, verdict: &str) -> Value {
        json!({"letter": letter, "rule": "names", "verdict": verdict, "found": [], "undecided": []})
    }

    #[test]
    fn each_measure_is_told() {
        let told = measures(&certificate(&json!({
            "risks": {"prosecutor_highest": 0.2, "prosecutor_average": 0.1, "journalist_highest": 0.2,
                "journalist_average": 0.1, "marketer": 0.1},
            "sensitive": [{"column": "diagnosis", "distinct_l": 3, "entropy_l": 2.5, "recursive_c": null, "t_equal": 0.25, "t_ordered": null,
                "t_hierarchical": 0.125, "delta": null, "delta_present": 0, "beta": 0, "guessed": 0.5, "guessed_blindly": 0.5,
                "values": 9}],
            "linkage": {"expected": 0.0544, "attacks": 294, "successes": 17},
            "safe_harbor": [line("A", "not-decidable"), line("B", "none-found"), line("C", "none-found")],
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
    fn what_is_not_there_is_not_told() {
        assert_eq!(measures(&certificate(&json!({}))).len(), 1);
    }
}
