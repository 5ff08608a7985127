//! `medshare datasets`: what can be asked for.

use anyhow::Result;
use clap::Args;
use medshare_client::api::NodeApi;
use medshare_protocol::wire::PublicDescriptor;
use serde_json::Value;

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
            let promises = promises(descriptor);
            if !promises.is_empty() {
                output::line(format!("  each release also: {}", promises.join("; ")))?;
            }
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

/// What a release keeps besides k, one entry for each promise.
fn promises(descriptor: &PublicDescriptor) -> Vec<String> {
    let of_columns = descriptor.columns.iter().flat_map(|column| {
        let models = column.models.iter();
        models.map(|model| format!("{}: {}", column.name, words(model)))
    });
    let risks = descriptor.risks.iter().map(words);
    let safe_harbor = descriptor
        .safe_harbor
        .then(|| "HIPAA Safe Harbor".to_owned());
    of_columns.chain(risks).chain(safe_harbor).collect()
}

/// `t-closeness, distance equal, t 0.3`, `marketer, average, at-most 0.2`: what it is first, then its parameters.
fn words(promise: &Value) -> String {
    let kinds = ["model", "attacker", "figure"];
    let first = kinds.iter().filter_map(|kind| promise[kind].as_str());
    let mut words: Vec<_> = first.map(str::to_owned).collect();
    let fields = promise.as_object().into_iter().flatten();
    let parameters = fields.filter(|(name, _)| !kinds.contains(&name.as_str()));
    words.extend(parameters.map(|(name, value)| match value {
        Value::String(text) => format!("{name} {text}"),
        value => format!("{name} {value}"),
    }));
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn promises_are_told_in_words() {
        let model = json!({"model": "t-closeness", "t": 0.3, "distance": "equal"});
        assert_eq!(words(&model), "t-closeness, distance equal, t 0.3");
        let risk = json!({"attacker": "marketer", "figure": "average", "at-most": 0.2});
        assert_eq!(words(&risk), "marketer, average, at-most 0.2");
        assert_eq!(words(&json!(7)), "");
    }
}
