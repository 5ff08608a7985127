//! `medshare datasets`: what can be asked for.

use anyhow::Result;
use clap::Args;
use medshare_client::api::NodeApi;

use crate::output;
use crate::profile::HomeArgs;

/// Lists.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  medshare datasets\n  medshare datasets --node http://127.0.0.1:8546 --json"
)]
pub struct Datasets {
    #[command(flatten)]
    home: HomeArgs,
    /// Another node than the profile's
    #[arg(long, env = "MEDSHARE_NODE", value_name = "URL")]
    node: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Datasets {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let node = match &self.node {
            Some(url) => NodeApi::new(url)?,
            None => self.home.node()?,
        };
        let datasets = node.datasets().await?;
        if self.json {
            return output::json(&datasets);
        }
        for dataset in datasets {
            let descriptor = &dataset.descriptor;
            let note = if dataset.published {
                ""
            } else {
                "  (not published: it cannot be asked for)"
            };
            output::line(format!("{}: {}{note}", descriptor.name, descriptor.title))?;
            output::line(format!(
                "  k = {}, granted: {}, for {} days",
                descriptor.k, descriptor.granted, descriptor.retention_days
            ))?;
            let purposes: Vec<_> = dataset.purposes.iter().map(ToString::to_string).collect();
            let purposes = if purposes.is_empty() {
                "any".to_owned()
            } else {
                purposes.join(", ")
            };
            output::line(format!("  purposes: {purposes}"))?;
            let released = descriptor
                .columns
                .iter()
                .filter(|column| column.role != "identifier");
            let columns: Vec<_> = released.map(|column| column.name.as_str()).collect();
            output::line(format!("  columns: {}", columns.join(", ")))?;
        }
        Ok(())
    }
}
