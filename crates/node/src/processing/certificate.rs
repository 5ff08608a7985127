//! What a certificate says of what was measured (SPEC §6.1).

use medshare_anonymiser::safe_harbor::{Line, Verdict};
use medshare_anonymiser::{Linkage, Risks};
use medshare_protocol::certificate::{self, CERTIFICATE_VERSION, Certificate, OutOfRange};

use crate::verifier::Checked;

/// The certificate of what was checked.
///
/// # Errors
/// When a measure is no measure, which is the anonymiser's fault.
pub(super) fn of(checked: &Checked, time: u64) -> Result<Certificate, OutOfRange> {
    let measures = &checked.measures;
    let sensitive = measures.sensitive.iter().map(disclosure);
    Ok(Certificate {
        version: CERTIFICATE_VERSION,
        package: checked.package,
        payload_hash: checked.payload_hash,
        time,
        promised_k: u64::from(checked.descriptor.k),
        k: measures.k as u64,
        classes: measures.classes as u64,
        rows: measures.rows as u64,
        unique_share: number(measures.unique_share)?,
        identifiers: measures.identifiers.clone(),
        sensitivity: checked.sensitivity,
        reasons: checked.ranking.reasons.clone(),
        risks: Some(risks(&measures.risks)?),
        sensitive: Some(sensitive.collect::<Result<_, _>>()?),
        linkage: Some(linkage(measures.linkage)?),
        safe_harbor: Some(measures.safe_harbor.lines.iter().map(line).collect()),
    })
}

/// A number without a sign: sums may come out as -0.
fn number<N: TryFrom<f64>>(measured: f64) -> Result<N, N::Error> {
    N::try_from(measured + 0.0)
}

fn risks(of: &Risks) -> Result<certificate::Risks, OutOfRange> {
    Ok(certificate::Risks {
        prosecutor_highest: number(of.prosecutor_highest)?,
        prosecutor_average: number(of.prosecutor_average)?,
        journalist_highest: number(of.journalist_highest)?,
        journalist_average: number(of.journalist_average)?,
        marketer: number(of.marketer)?,
    })
}

fn disclosure(of: &medshare_anonymiser::Disclosure) -> Result<certificate::Disclosure, OutOfRange> {
    Ok(certificate::Disclosure {
        column: of.column.clone(),
        values: of.values as u64,
        distinct_l: of.distinct_l as u64,
        entropy_l: number(of.entropy_l)?,
        recursive_c: of.recursive_c.map(number).transpose()?,
        t_equal: number(of.t_equal)?,
        t_ordered: of.t_ordered.map(number).transpose()?,
        t_hierarchical: of.t_hierarchical.map(number).transpose()?,
        delta: of.delta.map(number).transpose()?,
        delta_present: number(of.delta_present)?,
        beta: number(of.beta)?,
        guessed: number(of.guessed)?,
        guessed_blindly: number(of.guessed_blindly)?,
    })
}

fn linkage(of: Linkage) -> Result<certificate::Linkage, OutOfRange> {
    Ok(certificate::Linkage {
        expected: number(of.expected)?,
        attacks: of.attacks as u64,
        successes: of.successes as u64,
    })
}

fn line(of: &Line) -> certificate::SafeHarborLine {
    let found = of.found.iter().map(|found| certificate::Found {
        column: found.column.clone(),
        rule: found.rule.name().to_owned(),
        what: found.what.clone(),
        rows: found.rows as u64,
        accepted: found.accepted,
    });
    certificate::SafeHarborLine {
        letter: of.letter,
        rule: of.rule.name().to_owned(),
        verdict: match of.verdict {
            Verdict::NoneFound => certificate::Verdict::NoneFound,
            Verdict::NotDecidable => certificate::Verdict::NotDecidable,
            Verdict::Accepted => certificate::Verdict::Accepted,
            Verdict::Found => certificate::Verdict::Found,
        },
        found: found.collect(),
        undecided: of.undecided.clone(),
    }
}
