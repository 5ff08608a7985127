//! `medshare request`: asks, waits, and says what came of it (P2).

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use medshare_client::api::NodeApi;
use medshare_client::requestor::{Ask, RequestError};
use medshare_protocol::filter::Filter;
use medshare_protocol::id::DatasetId;
use medshare_protocol::purpose::Purpose;
use medshare_protocol::typed::Selection;
use medshare_protocol::wire::{DatasetInfo, RequestStatus};
use serde_json::json;

use crate::cli::wrong_usage;
use crate::output::{self, Progress};
use crate::profile::RequestorArgs;

/// Asks.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  medshare request north-stays --purpose HRESCH
  medshare request north-stays --purpose HRESCH --fields sex,icd10 --filter '{\"sex\":[\"F\"]}'")]
pub struct Request {
    /// The dataset's name or id, as `medshare datasets` has it
    dataset: String,
    /// Purpose code, such as HRESCH or DUO:0000042
    #[arg(long, value_name = "CODE")]
    purpose: Purpose,
    /// Only these columns
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,…")]
    fields: Vec<String>,
    /// Only rows with these values: a JSON object of columns and wanted values
    #[arg(long, value_name = "JSON", default_value = "", value_parser = filter, hide_default_value = true)]
    filter: String,
    /// Longest wait for the package, seconds; 0 does not wait
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    wait_seconds: u64,
    #[command(flatten)]
    requestor: RequestorArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Request {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        if let Some(field) = repeated(&self.fields) {
            wrong_usage(format!(
                "--fields names `{field}` twice: name each column once"
            ));
        }
        let node = self.requestor.home.node()?;
        let dataset = find(&node, &self.dataset).await?;
        let custodian = node.info().await?.custodian;
        let (purse, requestor) = self.requestor.open().await?;
        let selection = Selection {
            fields: self.fields,
            filter: self.filter,
        };
        let ask = Ask {
            custodian,
            dataset: dataset.dataset,
            purpose: self.purpose,
            selection,
        };
        let signed = requestor.sign_request(&ask)?;
        let package = requestor.package_id(&signed.request);
        // Before it is sent: whatever happens, the same request can be asked about.
        let folder = purse.package(package)?;
        folder.save_request(&signed)?;
        let status = match requestor.submit(&signed).await {
            Ok(status) => status,
            Err(error @ (RequestError::Api(_) | RequestError::Refused(_))) => {
                return Err(error).with_context(|| format!("request {package}"));
            }
            // It never left this machine.
            Err(error) => {
                std::fs::remove_dir_all(folder.path())?;
                return Err(error.into());
            }
        };
        if self.wait_seconds == 0 {
            output::note(format!("asked; next: medshare status {package}"));
            return output::either(self.json, &status, package);
        }
        let mut progress = Progress::of_steps();
        let patience = Duration::from_secs(self.wait_seconds);
        let ready = requestor
            .wait(package, patience, |status| progress.say(last_step(status)))
            .await
            .with_context(|| format!("request {package}"))?;
        drop(progress);
        output::note(format!(
            "ready: {} bytes, issued by transaction {:?}\nnext: medshare download {package}",
            ready.length, ready.transaction
        ));
        output::either(
            self.json,
            &json!({"package": package, "ready": ready}),
            package,
        )
    }
}

/// The dataset that people call `name`.
pub async fn find(node: &NodeApi, name: &str) -> Result<DatasetInfo> {
    let datasets = node.datasets().await?;
    let id: Option<DatasetId> = name.parse().ok();
    let found = datasets
        .iter()
        .find(|dataset| dataset.descriptor.name == name || Some(dataset.dataset) == id);
    if let Some(dataset) = found {
        return Ok(dataset.clone());
    }
    let names: Vec<_> = datasets
        .iter()
        .map(|dataset| dataset.descriptor.name.as_str())
        .collect();
    bail!(
        "the node {} has no dataset `{name}`; it has: {}",
        node.address(),
        names.join(", ")
    )
}

/// The first that was there before.
fn repeated(fields: &[String]) -> Option<&String> {
    let mut rest = fields.iter().enumerate();
    rest.find_map(|(index, field)| fields[..index].contains(field).then_some(field))
}

/// The last thing that happened.
pub fn last_step(status: &RequestStatus) -> String {
    status
        .form
        .last()
        .map_or_else(|| "asked".to_owned(), |step| step.action.clone())
}

/// Checked here, so that a slip of the pen costs no request.
fn filter(text: &str) -> Result<String, String> {
    text.parse::<Filter>()
        .map(|filter| filter.to_string())
        .map_err(|error| error.to_string())
}
