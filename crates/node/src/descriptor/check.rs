//! What a descriptor's values must be, one function for each part.

use std::path::PathBuf;

use medshare_anonymiser::plan::{DEFAULT_K, DEFAULT_SUPPRESSION_LIMIT, MIN_K};
use medshare_anonymiser::{Effort, Method, Model, Privacy, Role, Rule};
use medshare_chain::Response;
use medshare_protocol::purpose::Purpose;
use medshare_protocol::usage::{Action, Actions, Environment};
use toml::Spanned;

use super::file::{
    ColumnFile, Place, PrivacyFile, ResponseFile, SourceFile, SourceKind, UsageFile,
};
use super::{
    DescriptorError, MAX_MODELS, MAX_NAME_BYTES, MAX_PURPOSES, MAX_RESPONSES, MAX_RETENTION_DAYS,
    MAX_TITLE_BYTES, Reader, SourceSpec, UsageTerms,
};

pub(super) fn name(place: &Place<'_>, name: &Spanned<String>) -> Result<(), DescriptorError> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let text = name.as_ref();
    if text.is_empty() || text.len() > MAX_NAME_BYTES || !text.bytes().all(good) {
        let message = format!(
            "a dataset's name has 1 to {MAX_NAME_BYTES} characters out of A-Z, a-z, 0-9, `.`, `_`, `-`"
        );
        return Err(place.invalid("name", name.span(), message));
    }
    Ok(())
}

pub(super) fn title(place: &Place<'_>, title: &Spanned<String>) -> Result<(), DescriptorError> {
    let text = title.as_ref();
    if text.trim().is_empty() || text.len() > MAX_TITLE_BYTES || text.chars().any(char::is_control)
    {
        let message = format!("a title is one line of 1 to {MAX_TITLE_BYTES} bytes");
        return Err(place.invalid("title", title.span(), message));
    }
    Ok(())
}

/// None at all: any purpose.
pub(super) fn purposes(
    place: &Place<'_>,
    purposes: Option<Spanned<Vec<Purpose>>>,
) -> Result<Vec<Purpose>, DescriptorError> {
    let Some(purposes) = purposes else {
        return Ok(Vec::new());
    };
    let listed = purposes.as_ref();
    let twice = listed
        .iter()
        .enumerate()
        .find(|(index, purpose)| listed[..*index].contains(purpose));
    let fault = if listed.len() > MAX_PURPOSES {
        Some(format!("at most {MAX_PURPOSES} purposes are taken"))
    } else {
        twice.map(|(_, purpose)| format!("`{purpose}` is listed twice"))
    };
    match fault {
        Some(message) => Err(place.invalid("purposes", purposes.span(), message)),
        None => Ok(purposes.into_inner()),
    }
}

pub(super) fn privacy(place: &Place<'_>, file: PrivacyFile) -> Result<Privacy, DescriptorError> {
    let mut privacy = Privacy {
        k: DEFAULT_K,
        suppression_limit: DEFAULT_SUPPRESSION_LIMIT,
        metric: file.metric,
        method: file
            .method
            .map_or_else(Method::default, Spanned::into_inner),
        risks: file.risks.map_or_else(Vec::new, Spanned::into_inner),
        safe_harbor: file.safe_harbor,
        ..Privacy::default()
    };
    if let Some(k) = file.k {
        privacy.k = *k.as_ref();
        if let Some(fault) = fault_of_k(privacy.k) {
            let message = format!("k is {}, and {fault}", privacy.k);
            return Err(place.invalid("k", k.span(), message));
        }
    }
    if let Some(nodes) = file.search_nodes {
        if *nodes.as_ref() == 0 {
            let message = "a search looks at one node at least".into();
            return Err(place.invalid("search-nodes", nodes.span(), message));
        }
        privacy.search = Effort::Nodes(nodes.into_inner());
    }
    if let Some(limit) = file.suppression_limit {
        privacy.suppression_limit = *limit.as_ref();
        if !(0.0..=1.0).contains(&privacy.suppression_limit) {
            let message = "it is a share of the rows, from 0 to 1".into();
            return Err(place.invalid("suppression-limit", limit.span(), message));
        }
    }
    Ok(privacy)
}

/// Published as a number of 32 bits; that it is too small beside nothing else, the plan says.
fn fault_of_k(k: usize) -> Option<String> {
    if k == 0 {
        return Some(format!("{MIN_K} is the least that hides anybody by itself"));
    }
    let is_beyond = u32::try_from(k).is_err();
    is_beyond.then(|| format!("{} is the most", u32::MAX))
}

/// What is wrong with a rule by itself is told of its own line; what does not go with the rest of its column, the plan says.
pub(super) fn rule(
    place: &Place<'_>,
    column: &str,
    rule: Spanned<Rule>,
) -> Result<Rule, DescriptorError> {
    match rule.as_ref().fault() {
        Some(fault) => {
            let message = format!("column `{column}`: {fault}");
            Err(place.invalid("rule", rule.span(), message))
        }
        None => Ok(rule.into_inner()),
    }
}

/// What each class must meet is for sensitive columns, and of a dataset that is served must be something that the second node
/// can judge by the release.
pub(super) fn models(
    place: &Place<'_>,
    column: &str,
    role: Role,
    models: Spanned<Vec<Model>>,
    reader: Reader,
) -> Result<Vec<Model>, DescriptorError> {
    let span = models.span();
    let models = models.into_inner();
    let fault = if role != Role::Sensitive && !models.is_empty() {
        Some(format!(
            "column `{column}` is not sensitive, so there is nothing that a class may not tell; change its role or remove the models"
        ))
    } else if models.len() > MAX_MODELS {
        Some(format!(
            "column `{column}` has {} models, and {MAX_MODELS} is the limit",
            models.len()
        ))
    } else {
        models.iter().find_map(|model| {
            if reader == Reader::Node && model.needs_hierarchy() {
                return Some(format!(
                    "{model} needs the hierarchy, which stays with the custodian, so that no second node could check it; take the distance `equal` or `ordered` (`medshare anonymise` by itself takes it)"
                ));
            }
            model.fault().map(|fault| format!("{model}: {fault}"))
        })
    };
    match fault {
        Some(message) => Err(place.invalid("models", span, message)),
        None => Ok(models),
    }
}

pub(super) fn usage(place: &Place<'_>, file: UsageFile) -> Result<UsageTerms, DescriptorError> {
    let granted = six(place, "granted", &file.granted)?;
    let exempt = match &file.exempt {
        Some(exempt) => six(place, "exempt", exempt)?,
        None => Actions::NONE,
    };
    let retention_days = *file.retention_days.as_ref();
    if !(1..=MAX_RETENTION_DAYS).contains(&retention_days) {
        let message = format!("packages are kept for 1 to {MAX_RETENTION_DAYS} days");
        return Err(place.invalid("retention-days", file.retention_days.span(), message));
    }
    // Outside the sandbox a reader and a copying program look alike: who may not copy reads inside it.
    let default = if granted.contains(Action::Copy) {
        Environment::Any
    } else {
        Environment::Sandbox
    };
    let environment = file.environment.unwrap_or(default);
    Ok(UsageTerms {
        granted,
        exempt,
        environment,
        retention_days,
    })
}

fn six(
    place: &Place<'_>,
    key: &'static str,
    actions: &Spanned<Vec<Action>>,
) -> Result<Actions, DescriptorError> {
    match actions
        .as_ref()
        .iter()
        .find(|action| !Actions::SIX.contains(**action))
    {
        Some(action) => {
            let message = format!(
                "`{action}` can be neither granted nor exempted; the actions are read, write, delete, duplicate, move and copy"
            );
            Err(place.invalid(key, actions.span(), message))
        }
        None => Ok(actions.as_ref().iter().copied().collect()),
    }
}

pub(super) fn responses(
    place: &Place<'_>,
    responses: Vec<ResponseFile>,
) -> Result<Vec<Response>, DescriptorError> {
    let mut checked: Vec<Response> = Vec::new();
    for response in responses {
        let (kind, threshold) = (response.action, *response.after.as_ref());
        let fault = if threshold == 0 {
            Some("violations count from 1".to_owned())
        } else if checked.len() >= MAX_RESPONSES {
            Some(format!(
                "at most {MAX_RESPONSES} response actions are taken"
            ))
        } else if checked.iter().any(|earlier| earlier.kind == kind) {
            Some("this action is listed before; keep the lower number".to_owned())
        } else {
            None
        };
        if let Some(message) = fault {
            return Err(place.invalid("after", response.after.span(), message));
        }
        checked.push(Response { kind, threshold });
    }
    Ok(checked)
}

pub(super) fn source(place: &Place<'_>, source: SourceFile) -> Result<SourceSpec, DescriptorError> {
    let file = place.resolve(source.file.as_ref());
    match (source.kind, source.query, source.delimiter) {
        (SourceKind::Csv, Some(query), _) => {
            let message = "a CSV file is read as it is; remove the query".into();
            Err(place.invalid("query", query.span(), message))
        }
        (SourceKind::Csv, None, delimiter) => Ok(SourceSpec::Csv {
            file,
            delimiter: csv_delimiter(place, delimiter)?,
        }),
        (SourceKind::Sqlite, _, Some(delimiter)) => {
            let message = "a database has no delimiter; remove it".into();
            Err(place.invalid("delimiter", delimiter.span(), message))
        }
        (SourceKind::Sqlite, Some(query), None) if !query.as_ref().trim().is_empty() => {
            Ok(SourceSpec::Sqlite {
                file,
                query: query.into_inner(),
            })
        }
        (SourceKind::Sqlite, query, None) => {
            let message = "say with a SELECT which records of the database are meant".into();
            let span = query.map_or_else(|| source.file.span(), |query| query.span());
            Err(place.invalid("query", span, message))
        }
    }
}

/// Separated as the source is, or by commas beside a database.
pub(super) fn population(
    place: &Place<'_>,
    population: &Spanned<PathBuf>,
    source: &SourceSpec,
    reader: Reader,
) -> Result<SourceSpec, DescriptorError> {
    let invalid = |message| Err(place.invalid("population", population.span(), message));
    if reader == Reader::Node {
        return invalid("the second node measures the risks on the release alone, so no population counts in a dataset that is served; remove it (`medshare anonymise` by itself takes it)".into());
    }
    let file = place.resolve(population.as_ref());
    if let Err(error) = std::fs::File::open(&file) {
        return invalid(format!(
            "cannot read {}: {error}; correct the path, or leave the population out",
            file.display()
        ));
    }
    let delimiter = match source {
        SourceSpec::Csv { delimiter, .. } => *delimiter,
        SourceSpec::Sqlite { .. } => b',',
    };
    Ok(SourceSpec::Csv { file, delimiter })
}

fn csv_delimiter(
    place: &Place<'_>,
    delimiter: Option<Spanned<String>>,
) -> Result<u8, DescriptorError> {
    match delimiter {
        None => Ok(b','),
        Some(text) => match text.as_ref().as_bytes() {
            [byte @ (b',' | b';' | b'\t' | b'|')] => Ok(*byte),
            _ => {
                let message = "a delimiter is one of `,`, `;`, `|` and a tab".into();
                Err(place.invalid("delimiter", text.span(), message))
            }
        },
    }
}

pub(super) fn columns(
    place: &Place<'_>,
    columns: &Spanned<Vec<ColumnFile>>,
) -> Result<(), DescriptorError> {
    let list = columns.as_ref();
    if !list.iter().any(|column| column.role != Role::Identifier) {
        let message = "identifiers are never released, and there is no other column".into();
        return Err(place.invalid("column", columns.span(), message));
    }
    for (index, column) in list.iter().enumerate() {
        let name = column.name.as_ref();
        if name.trim().is_empty() {
            let message = "a column needs the name it has in the source".into();
            return Err(place.invalid("name", column.name.span(), message));
        }
        if list[..index]
            .iter()
            .any(|earlier| earlier.name.as_ref() == name)
        {
            let message = format!("column `{name}` is declared twice; remove one");
            return Err(place.invalid("name", column.name.span(), message));
        }
    }
    Ok(())
}
