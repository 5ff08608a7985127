//! The form: how it begins and ends, what the second node saw of it, and which certificate it names.

use medshare_protocol::block::ParentBody;
use medshare_protocol::form::{Detail, MAX_FORM_STEPS, Step, form_digest};

use super::{Change, Changes, OTHER, SOUND, assert_each, assert_flaws, keys};

const BEGINNING: &str = "form.json: the form does not begin with the hashes";
const RETRIEVAL: &str = "form.json: a step `retrieved` does not have the hash of its time";
const CERTIFICATE: &str = "validation.json: the form names another certificate";

type Form = (Change<Vec<Step>>, &'static str);

fn step<'a>(steps: &'a mut [Step], action: &str) -> &'a mut Step {
    steps.iter_mut().find(|step| step.action == action).unwrap()
}

/// The detail by which the step `validated` names the certificate.
fn named(steps: &mut [Step]) -> &mut Detail {
    let details = &mut step(steps, "validated").details;
    details
        .iter_mut()
        .find(|it| it.name == "certificate")
        .unwrap()
}

#[track_caller]
fn assert_forms(forms: &[Form]) {
    for (form, expected) in forms {
        let changes = Changes {
            form: *form,
            ..SOUND
        };
        assert_flaws(&changes, &[expected]);
    }
}

#[test]
fn it_begins_with_hashes_and_so_does_a_retrieval() {
    assert_forms(&[
        (|steps| steps[0].action = "arrived".into(), BEGINNING),
        (|steps| steps[0].details.swap(0, 1), BEGINNING),
        (
            |steps| steps[0].details[1].value = OTHER.to_string(),
            BEGINNING,
        ),
        (|steps| step(steps, "retrieved").time += 1, RETRIEVAL),
        (
            |steps| step(steps, "retrieved").details.swap(0, 1),
            RETRIEVAL,
        ),
    ]);
    let more_details = Changes {
        form: |steps| {
            let more = steps[0].clone().with("note", "others may follow");
            steps[0] = more;
        },
        ..SOUND
    };
    assert_flaws(&more_details, &[]);
}

#[test]
fn its_times_are_those_of_the_parent_block() {
    let times: [(Change<ParentBody>, &str); 2] = [
        (|body| body.transaction.received -= 1, "first"),
        (|body| body.locktime += 1, "last"),
    ];
    for (parent, which) in times {
        let expected = format!("form.json: the time of the form's {which} step is");
        assert_flaws(&Changes { parent, ..SOUND }, &[&expected]);
    }
}

#[test]
fn it_is_the_one_of_the_parent_block_and_ends() {
    let later_step = Changes {
        evidence: |evidence| {
            let step = Step::new(2_000_000_000_000, keys::node().address(), "delivered");
            evidence.dossier.form.push(step);
        },
        ..SOUND
    };
    assert_flaws(&later_step, &["form.json: the form's digest is"]);
    const LONGEST: Changes = Changes {
        form: |steps| {
            let last = steps.pop().unwrap();
            let step = Step::new(last.time, last.node, "waited");
            steps.resize(MAX_FORM_STEPS - 1, step);
            steps.push(last);
        },
        ..SOUND
    };
    assert_flaws(&LONGEST, &[]);
    let longer = Changes {
        form: |steps| {
            (LONGEST.form)(steps);
            steps.insert(MAX_FORM_STEPS - 1, steps[MAX_FORM_STEPS - 2].clone());
        },
        ..SOUND
    };
    assert_flaws(&longer, &["form.json: there are 65 steps"]);
}

#[test]
fn the_second_node_saw_a_beginning_of_it() {
    let expected = "validation.json: it is about another form";
    assert_each(&[
        (
            Changes {
                validation: |validation| validation.formDigest = OTHER,
                ..SOUND
            },
            expected,
        ),
        // Of no step.
        (
            Changes {
                validation: |validation| validation.formDigest = form_digest(&[]).0,
                ..SOUND
            },
            expected,
        ),
    ]);
}

#[test]
fn it_names_the_certificate_once_where_the_second_node_answered() {
    assert_forms(&[
        (|steps| named(steps).value = OTHER.to_string(), CERTIFICATE),
        (|steps| named(steps).name = "other".into(), CERTIFICATE),
        (
            |steps| step(steps, "validated").action = "asked".into(),
            CERTIFICATE,
        ),
        (
            |steps| {
                let again = named(steps).clone();
                step(steps, "validated").details.push(again);
            },
            CERTIFICATE,
        ),
        (
            |steps| {
                let validated = step(steps, "validated");
                *validated = validated.clone().with("certificate", OTHER);
            },
            CERTIFICATE,
        ),
    ]);
}
