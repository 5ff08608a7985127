//! The TOML form of a descriptor, and the checks that serde cannot do.

use std::ops::Range;
use std::path::{Path, PathBuf};

use medshare_anonymiser::plan::{DEFAULT_K, DEFAULT_SUPPRESSION_LIMIT, MIN_K};
use medshare_anonymiser::{ColumnPlan, Hierarchy, Plan, Privacy, Role};
use medshare_chain::{Response, ResponseKind};
use medshare_protocol::purpose::Purpose;
use medshare_protocol::usage::{Action, Actions, Environment};
use medshare_protocol::wire::PublicDescriptor;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Dataset, DescriptorError, MAX_DESCRIPTOR_BYTES, MAX_HIERARCHY_BYTES, MAX_NAME_BYTES,
    MAX_PURPOSES, MAX_RESPONSES, MAX_RETENTION_DAYS, MAX_TITLE_BYTES, SourceSpec, UsageTerms,
    public_column,
};

/// ARX writes hierarchies with this delimiter.
const HIERARCHY_DELIMITER: u8 = b';';

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct DescriptorFile {
    name: Spanned<String>,
    title: Spanned<String>,
    #[serde(default)]
    purposes: Option<Spanned<Vec<Purpose>>>,
    source: SourceFile,
    #[serde(default)]
    privacy: PrivacyFile,
    usage: UsageFile,
    #[serde(default)]
    response: Vec<ResponseFile>,
    column: Spanned<Vec<ColumnFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SourceFile {
    kind: SourceKind,
    file: Spanned<PathBuf>,
    delimiter: Option<Spanned<String>>,
    query: Option<Spanned<String>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum SourceKind {
    Csv,
    Sqlite,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PrivacyFile {
    k: Option<Spanned<usize>>,
    suppression_limit: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct UsageFile {
    granted: Spanned<Vec<Action>>,
    #[serde(default)]
    exempt: Option<Spanned<Vec<Action>>>,
    environment: Option<Environment>,
    retention_days: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ResponseFile {
    action: ResponseKind,
    after: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ColumnFile {
    name: Spanned<String>,
    kind: Kind,
    role: Role,
    hierarchy: Option<Spanned<PathBuf>>,
}

/// What the cells of a column are.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Text,
    Integer,
    Decimal,
    Date,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Date => "date",
        }
    }
}

/// Where in which file we are, for errors.
struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    fn line(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    fn invalid(&self, key: &'static str, span: Range<usize>, message: String) -> DescriptorError {
        let line = self.line(span.start);
        DescriptorError::Invalid {
            path: self.path.to_owned(),
            line,
            key,
            message,
        }
    }

    /// Paths in a descriptor are relative to it, so that a folder can be moved as a whole.
    fn resolve(&self, file: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }
}

pub(super) fn read(path: &Path) -> Result<Dataset, DescriptorError> {
    let bytes = read_bounded(path, MAX_DESCRIPTOR_BYTES)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| DescriptorError::Malformed {
        path: path.to_owned(),
        line: bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1,
        message: "not UTF-8; convert the file first".into(),
    })?;
    let place = Place { path, text };
    let file: DescriptorFile =
        toml::from_str(text).map_err(|error| DescriptorError::Malformed {
            path: path.to_owned(),
            line: place.line(error.span().map_or(0, |span| span.start)),
            message: error.message().replace('\n', " "),
        })?;
    check(&place, file)
}

fn check(place: &Place<'_>, file: DescriptorFile) -> Result<Dataset, DescriptorError> {
    check_name(place, &file.name)?;
    check_title(place, &file.title)?;
    let purposes = match file.purposes {
        Some(purposes) if purposes.as_ref().len() > MAX_PURPOSES => {
            let message = format!("at most {MAX_PURPOSES} purposes are taken");
            return Err(place.invalid("purposes", purposes.span(), message));
        }
        Some(purposes) => purposes.into_inner(),
        None => Vec::new(),
    };
    let privacy = check_privacy(place, file.privacy)?;
    let usage = check_usage(place, file.usage)?;
    let responses = check_responses(place, file.response)?;
    let source = check_source(place, file.source)?;
    check_columns(place, &file.column)?;
    let mut columns = Vec::new();
    let mut plan = Plan {
        columns: Vec::new(),
        privacy,
    };
    for column in file.column.into_inner() {
        let kind = column.kind.name();
        let planned = plan_column(place, column)?;
        columns.push(public_column(&planned, kind));
        plan.columns.push(planned);
    }
    let public = PublicDescriptor {
        name: file.name.into_inner(),
        title: file.title.into_inner(),
        columns,
        k: u32::try_from(privacy.k).expect("`check_privacy` keeps it small"),
        suppression_limit: privacy.suppression_limit,
        granted: usage.granted,
        exempt: usage.exempt,
        environment: usage.environment,
        retention_days: usage.retention_days,
    };
    Ok(Dataset::assemble(
        public, purposes, responses, plan, source, usage,
    ))
}

fn check_name(place: &Place<'_>, name: &Spanned<String>) -> Result<(), DescriptorError> {
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

fn check_title(place: &Place<'_>, title: &Spanned<String>) -> Result<(), DescriptorError> {
    let text = title.as_ref();
    if text.trim().is_empty() || text.len() > MAX_TITLE_BYTES || text.chars().any(char::is_control)
    {
        let message = format!("a title is one line of 1 to {MAX_TITLE_BYTES} bytes");
        return Err(place.invalid("title", title.span(), message));
    }
    Ok(())
}

fn check_privacy(place: &Place<'_>, file: PrivacyFile) -> Result<Privacy, DescriptorError> {
    let mut privacy = Privacy {
        k: DEFAULT_K,
        suppression_limit: DEFAULT_SUPPRESSION_LIMIT,
    };
    if let Some(k) = file.k {
        privacy.k = *k.as_ref();
        if privacy.k < MIN_K || u32::try_from(privacy.k).is_err() {
            let message = format!(
                "k is {}, and {MIN_K} is the least that hides anybody",
                privacy.k
            );
            return Err(place.invalid("k", k.span(), message));
        }
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

fn check_usage(place: &Place<'_>, file: UsageFile) -> Result<UsageTerms, DescriptorError> {
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

fn check_responses(
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

fn check_source(place: &Place<'_>, source: SourceFile) -> Result<SourceSpec, DescriptorError> {
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

fn check_columns(
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

fn plan_column(place: &Place<'_>, column: ColumnFile) -> Result<ColumnPlan, DescriptorError> {
    let hierarchy = match column.hierarchy {
        None => None,
        Some(file) if column.role != Role::QuasiIdentifier => {
            let message = format!(
                "column `{}` is no quasi-identifier, so nothing generalises it; change its role or remove the hierarchy",
                column.name.as_ref()
            );
            return Err(place.invalid("hierarchy", file.span(), message));
        }
        Some(file) => Some(read_hierarchy(place, &file)?),
    };
    Ok(ColumnPlan {
        name: column.name.into_inner(),
        role: column.role,
        hierarchy,
    })
}

fn read_hierarchy(
    place: &Place<'_>,
    file: &Spanned<PathBuf>,
) -> Result<Hierarchy, DescriptorError> {
    let path = place.resolve(file.as_ref());
    let bytes = read_bounded(&path, MAX_HIERARCHY_BYTES).map_err(|error| match error {
        DescriptorError::Unreadable { source, .. } => {
            let message = format!("cannot read {}: {source}", path.display());
            place.invalid("hierarchy", file.span(), message)
        }
        other => other,
    })?;
    Hierarchy::from_csv(&bytes, HIERARCHY_DELIMITER).map_err(|source| DescriptorError::Hierarchy {
        path: place.path.to_owned(),
        line: place.line(file.span().start),
        hierarchy: path,
        source,
    })
}

fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, DescriptorError> {
    let unreadable = |source| DescriptorError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > limit {
        return Err(DescriptorError::TooLarge {
            path: path.to_owned(),
            bytes,
            limit,
        });
    }
    std::fs::read(path).map_err(unreadable)
}
