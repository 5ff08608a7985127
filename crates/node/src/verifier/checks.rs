//! The checks, one fault each.

use std::collections::BTreeSet;

use alloy_sol_types::SolStruct;
use medshare_anonymiser::{Plan, Role, Table, measure, promises, rank};
use medshare_protocol::digest::sha256;
use medshare_protocol::filter::Filter;
use medshare_protocol::form::{self, MAX_FORM_STEPS, Step, form_digest};
use medshare_protocol::id::DatasetId;
use medshare_protocol::package::payload_hash;
use medshare_protocol::purpose::Purpose;
use medshare_protocol::usage::{Environment, Sensitivity};
use medshare_protocol::wire::{DatasetColumn, PublicDescriptor};

use super::{Checked, Facts, Refusal};
use crate::descriptor::{public_plan, role_name};
use crate::peer::ValidationRequest;

/// What a form must hold before the second node looks at it, in this order.
pub(super) const STEPS_BEFORE_VALIDATION: [&str; 6] = [
    "received",
    "authenticated",
    "retrieved",
    "ranked",
    "anonymised",
    "contract-generated",
];
/// Clocks of two nodes may differ by so much, ms.
const CLOCK_TOLERANCE_MS: u64 = 2 * 60 * 1_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

pub(super) fn check(request: &ValidationRequest, facts: &Facts) -> Result<Checked, Refusal> {
    let (descriptor, plan) = check_descriptor(request, facts)?;
    check_request(request, facts)?;
    check_form(request, facts)?;
    check_usage(request, &descriptor, facts)?;
    let table = Table::from_csv(&request.payload, b',')
        .map_err(|error| Refusal::new(format!("the payload is no table: {error}")))?;
    check_columns(request, &descriptor, &table)?;
    check_rows(request, &table)?;
    let measures = measure(&table, &plan);
    if measures.k < plan.privacy.k {
        return Err(Refusal::new(format!(
            "the smallest class of the payload has {} rows where the descriptor promises at least {}",
            measures.k, plan.privacy.k
        )));
    }
    let promises = promises(&table, &plan);
    if !promises.hold() {
        return Err(Refusal::new(format!(
            "the payload does not keep what the descriptor promises: {}",
            promises.broken.join("; ")
        )));
    }
    if !measures.identifiers.is_empty() {
        return Err(Refusal::new(format!(
            "identifiers are left in the payload: {}",
            measures.identifiers.join("; ")
        )));
    }
    let ranking = rank(&table, &plan);
    let sensitivity = match ranking.sensitivity {
        medshare_anonymiser::Sensitivity::Low => Sensitivity::Low,
        medshare_anonymiser::Sensitivity::High => Sensitivity::High,
    };
    if sensitivity != request.usage.sensitivity {
        return Err(Refusal::new(format!(
            "the payload ranks {sensitivity:?}, not {:?}: {}",
            request.usage.sensitivity,
            ranking.reasons.join(" ")
        )));
    }
    Ok(Checked {
        package: facts.domain.package_id(&request.signed_request.request),
        payload_hash: payload_hash(request.payload_salt, &request.payload),
        form_digest: form_digest(&request.form),
        sensitivity,
        usage_hash: request.usage.typed().eip712_hash_struct(),
        measures,
        ranking,
        descriptor,
    })
}

/// The terms are those that the custodian published.
fn check_descriptor(
    request: &ValidationRequest,
    facts: &Facts,
) -> Result<(PublicDescriptor, Plan), Refusal> {
    let published = facts.published.as_ref().ok_or_else(|| {
        Refusal::new("the dataset is not published on chain; its custodian must publish it first")
    })?;
    if sha256(&[&request.descriptor_bytes]) != published.descriptor {
        return Err(Refusal::new(
            "the descriptor is not the one that is published on chain",
        ));
    }
    let unreadable = || Refusal::new("the published descriptor is not readable");
    let descriptor: PublicDescriptor =
        serde_json::from_slice(&request.descriptor_bytes).map_err(|_| unreadable())?;
    let plan = public_plan(&descriptor).ok_or_else(unreadable)?;
    Ok((descriptor, plan))
}

/// The requestor asked this custodian for this dataset, for a purpose that is allowed.
fn check_request(request: &ValidationRequest, facts: &Facts) -> Result<(), Refusal> {
    let access = &request.signed_request.request;
    if facts.sender_custodian != Some(access.custodian) {
        return Err(Refusal::new(format!(
            "the request is for the custodian {}, and {} is no node of it",
            access.custodian, facts.sender
        )));
    }
    if !facts.signature_holds {
        return Err(Refusal::new(
            "the requestor's signature over the request does not hold",
        ));
    }
    if access.deadline < facts.time {
        return Err(Refusal::new("the request's deadline has passed"));
    }
    let purpose = Purpose::try_from(access.purpose)
        .map_err(|_| Refusal::new("the request's purpose is no purpose code"))?;
    if !facts
        .published
        .as_ref()
        .is_some_and(|dataset| dataset.allows(purpose))
    {
        return Err(Refusal::new(format!(
            "the dataset may not be asked for the purpose {purpose}"
        )));
    }
    Ok(())
}

/// All steps so far are there, in order, done by the sender, and begin with this request (P11).
fn check_form(request: &ValidationRequest, facts: &Facts) -> Result<(), Refusal> {
    let form = &request.form;
    if form.len() > MAX_FORM_STEPS {
        return Err(Refusal::new(format!(
            "the form has {} steps; at most {MAX_FORM_STEPS} are taken",
            form.len()
        )));
    }
    let mut rest = form.iter();
    for action in STEPS_BEFORE_VALIDATION {
        if !rest.any(|step| step.action == action) {
            return Err(Refusal::new(format!(
                "the form lacks the step `{action}`, or has it too late"
            )));
        }
    }
    if let Some(step) = form.iter().find(|step| step.node != facts.sender) {
        return Err(Refusal::new(format!(
            "the step `{}` was done by {}, which is not the node that sends the form",
            step.action, step.node
        )));
    }
    if let Some(pair) = form.windows(2).find(|pair| pair[0].time > pair[1].time) {
        return Err(Refusal::new(format!(
            "the step `{}` has a time before the step in front of it",
            pair[1].action
        )));
    }
    if form
        .last()
        .is_some_and(|step| step.time > facts.time + CLOCK_TOLERANCE_MS)
    {
        return Err(Refusal::new(
            "the form has steps in the future; check the clocks of both nodes",
        ));
    }
    check_hashes_in_form(request, facts)
}

fn check_hashes_in_form(request: &ValidationRequest, facts: &Facts) -> Result<(), Refusal> {
    let access = &request.signed_request.request;
    let purpose = Purpose::try_from(access.purpose)
        .map_err(|_| Refusal::new("the request's purpose is no purpose code"))?;
    let expected = |step: &Step| match step.action.as_str() {
        "received" => Some(form::received(
            step.time,
            facts.sender,
            access.requestor,
            purpose,
        )),
        "retrieved" => Some(form::retrieved(step.time, facts.sender)),
        _ => None,
    };
    for step in &request.form {
        if let Some(expected) = expected(step)
            && !step.details.starts_with(&expected.details)
        {
            return Err(Refusal::new(format!(
                "the hashes in the step `{}` are not those of this request",
                step.action
            )));
        }
    }
    Ok(())
}

/// The usage contract gives no more than the custodian published.
fn check_usage(
    request: &ValidationRequest,
    descriptor: &PublicDescriptor,
    facts: &Facts,
) -> Result<(), Refusal> {
    let usage = &request.usage;
    for (what, given, published) in [
        ("grants", usage.granted, descriptor.granted),
        ("exempts", usage.exempt, descriptor.exempt),
    ] {
        if given.0 & !published.0 != 0 {
            return Err(Refusal::new(format!(
                "the usage contract {what} {given} where the dataset's terms have {published}"
            )));
        }
    }
    if descriptor.environment == Environment::Sandbox && usage.environment == Environment::Any {
        return Err(Refusal::new(
            "the usage contract lets the package be opened anywhere where the terms demand the sandbox",
        ));
    }
    let last = facts.time + u64::from(descriptor.retention_days) * DAY_MS + CLOCK_TOLERANCE_MS;
    if usage.expiry <= facts.time || usage.expiry > last {
        return Err(Refusal::new(format!(
            "the usage contract must end within {} days from now, as the terms say",
            descriptor.retention_days
        )));
    }
    if usage.contract_key.is_zero() {
        return Err(Refusal::new("the usage contract has no contract key"));
    }
    let dataset = DatasetId::of_name(&descriptor.name);
    if dataset.0 != request.signed_request.request.dataset {
        return Err(Refusal::new("the descriptor is that of another dataset"));
    }
    Ok(())
}

/// Exactly the columns that were asked for, and none that the release must not have.
fn check_columns(
    request: &ValidationRequest,
    descriptor: &PublicDescriptor,
    table: &Table,
) -> Result<(), Refusal> {
    let [identifier, text] = [Role::Identifier, Role::Text].map(role_name);
    let is_dropped = |column: &DatasetColumn| {
        column.role == identifier || (column.role == text && !column.scrub)
    };
    let released: BTreeSet<&str> = descriptor
        .columns
        .iter()
        .filter(|column| !is_dropped(column))
        .map(|column| column.name.as_str())
        .collect();
    let fields = &request.signed_request.request.selection.fields;
    let asked: BTreeSet<&str> = match fields.as_slice() {
        [] => released.clone(),
        fields => fields.iter().map(String::as_str).collect(),
    };
    let found: BTreeSet<&str> = table.column_names().collect();
    if let Some(column) = found.difference(&released).next() {
        return Err(Refusal::new(format!(
            "column `{column}` must not be in the payload"
        )));
    }
    if let Some(column) = found.difference(&asked).next() {
        return Err(Refusal::new(format!("column `{column}` was not asked for")));
    }
    if let Some(column) = asked.difference(&found).next() {
        return Err(Refusal::new(format!(
            "column `{column}` was asked for and is not in the payload"
        )));
    }
    Ok(())
}

/// Only rows that were asked for. A column that is filtered by and not asked for cannot be checked from the output.
fn check_rows(request: &ValidationRequest, table: &Table) -> Result<(), Refusal> {
    if table.rows() == 0 {
        return Err(Refusal::new("the payload has no rows"));
    }
    let filter: Filter = request
        .signed_request
        .request
        .selection
        .filter
        .parse()
        .map_err(|error| Refusal::new(format!("the request's filter: {error}")))?;
    for (name, wanted) in &filter.wanted {
        let Some(column) = table.column_index(name) else {
            continue;
        };
        let unwanted = (0..table.rows())
            .filter(|row| !wanted.contains(table.value(*row, column)))
            .count();
        if unwanted > 0 {
            return Err(Refusal::new(format!(
                "{unwanted} rows have a value in column `{name}` that was not asked for"
            )));
        }
    }
    Ok(())
}
