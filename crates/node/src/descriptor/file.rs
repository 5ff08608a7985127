//! The TOML form of a descriptor, and how a dataset is put together of it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use medshare_anonymiser::{
    Aggregate, ColumnPlan, DateShift, Hierarchy, Method, Metric, Model, Number, Plan, PlanError,
    RiskLimit, Role, Rule, SafeHarborRule,
};
use medshare_chain::ResponseKind;
use medshare_protocol::purpose::Purpose;
use medshare_protocol::usage::{Action, Environment};
use medshare_protocol::wire::PublicDescriptor;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Dataset, DescriptorError, MAX_DESCRIPTOR_BYTES, MAX_HIERARCHY_BYTES, Reader, as_json, check,
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
pub(super) struct SourceFile {
    pub(super) kind: SourceKind,
    pub(super) file: Spanned<PathBuf>,
    pub(super) delimiter: Option<Spanned<String>>,
    pub(super) query: Option<Spanned<String>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SourceKind {
    Csv,
    Sqlite,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PrivacyFile {
    pub(super) k: Option<Spanned<usize>>,
    pub(super) suppression_limit: Option<Spanned<f64>>,
    #[serde(default)]
    pub(super) metric: Metric,
    pub(super) method: Option<Spanned<Method>>,
    pub(super) search_nodes: Option<Spanned<usize>>,
    pub(super) risks: Option<Spanned<Vec<RiskLimit>>>,
    #[serde(default)]
    pub(super) safe_harbor: bool,
    pub(super) population: Option<Spanned<PathBuf>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct UsageFile {
    pub(super) granted: Spanned<Vec<Action>>,
    #[serde(default)]
    pub(super) exempt: Option<Spanned<Vec<Action>>>,
    pub(super) environment: Option<Environment>,
    pub(super) retention_days: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ResponseFile {
    pub(super) action: ResponseKind,
    pub(super) after: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ColumnFile {
    pub(super) name: Spanned<String>,
    pub(super) kind: Kind,
    pub(super) role: Role,
    pub(super) hierarchy: Option<Spanned<PathBuf>>,
    pub(super) models: Option<Spanned<Vec<Model>>>,
    pub(super) rule: Option<Spanned<Rule>>,
    pub(super) bottom: Option<Number>,
    pub(super) top: Option<Number>,
    #[serde(default)]
    pub(super) missing: Vec<String>,
    pub(super) aggregate: Option<Aggregate>,
    pub(super) shift: Option<DateShift>,
    #[serde(default)]
    pub(super) scrub: bool,
    #[serde(default)]
    pub(super) accept: Vec<SafeHarborRule>,
}

/// What the cells of a column are.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
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
pub(super) struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    fn line(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    pub(super) fn invalid(
        &self,
        key: &'static str,
        span: Range<usize>,
        message: String,
    ) -> DescriptorError {
        let line = self.line(span.start);
        DescriptorError::Invalid {
            path: self.path.to_owned(),
            line,
            key,
            message,
        }
    }

    /// Paths in a descriptor are relative to it, so that a folder can be moved as a whole.
    pub(super) fn resolve(&self, file: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }
}

pub(super) fn read(path: &Path, reader: Reader) -> Result<Dataset, DescriptorError> {
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
    checked(&place, file, reader)
}

fn checked(
    place: &Place<'_>,
    mut file: DescriptorFile,
    reader: Reader,
) -> Result<Dataset, DescriptorError> {
    let spans = Spans::of(&file);
    check::name(place, &file.name)?;
    check::title(place, &file.title)?;
    let purposes = check::purposes(place, file.purposes)?;
    let population = file.privacy.population.take();
    let privacy = check::privacy(place, file.privacy)?;
    let usage = check::usage(place, file.usage)?;
    let responses = check::responses(place, file.response)?;
    let source = check::source(place, file.source)?;
    let population = population
        .map(|population| check::population(place, &population, &source, reader))
        .transpose()?;
    check::columns(place, &file.column)?;
    let mut columns = Vec::new();
    let mut plan = Plan {
        columns: Vec::new(),
        privacy,
    };
    for column in file.column.into_inner() {
        let kind = column.kind.name();
        let planned = plan_column(place, column, reader)?;
        columns.push(public_column(&planned, kind));
        plan.columns.push(planned);
    }
    plan.check_declared().map_err(|error| {
        let (key, span) = spans.place_of(&error);
        place.invalid(key, span, error.to_string())
    })?;
    let public = PublicDescriptor {
        name: file.name.into_inner(),
        title: file.title.into_inner(),
        columns,
        k: u32::try_from(plan.privacy.k).expect("`check::privacy` keeps it small"),
        suppression_limit: plan.privacy.suppression_limit,
        granted: usage.granted,
        exempt: usage.exempt,
        environment: usage.environment,
        retention_days: usage.retention_days,
        risks: plan.privacy.risks.iter().map(as_json).collect(),
        safe_harbor: plan.privacy.safe_harbor,
    };
    Ok(Dataset::assemble(
        public, purposes, responses, plan, source, usage, population,
    ))
}

fn plan_column(
    place: &Place<'_>,
    column: ColumnFile,
    reader: Reader,
) -> Result<ColumnPlan, DescriptorError> {
    let name = column.name.as_ref();
    let models = match column.models {
        None => Vec::new(),
        Some(models) => check::models(place, name, column.role, models, reader)?,
    };
    let is_used =
        column.role == Role::QuasiIdentifier || models.iter().any(|model| model.needs_hierarchy());
    let hierarchy = match column.hierarchy {
        None => None,
        Some(file) if !is_used => {
            let column = name.clone();
            let message = PlanError::HierarchyWithoutUse { column }.to_string();
            return Err(place.invalid("hierarchy", file.span(), message));
        }
        Some(file) => Some(read_hierarchy(place, &file)?),
    };
    let rule = match column.rule {
        None => None,
        Some(rule) => Some(check::rule(place, name, rule)?),
    };
    Ok(ColumnPlan {
        hierarchy,
        models,
        rule,
        bottom: column.bottom,
        top: column.top,
        missing: column.missing,
        aggregate: column.aggregate,
        shift: column.shift,
        scrub: column.scrub,
        accept: column.accept,
        ..ColumnPlan::new(column.name.into_inner(), column.role)
    })
}

/// Where what a plan may be wrong in stands in the file.
struct Spans {
    k: Range<usize>,
    method: Range<usize>,
    risks: Range<usize>,
    columns: Vec<(String, Range<usize>)>,
}

impl Spans {
    fn of(file: &DescriptorFile) -> Self {
        let columns = file.column.as_ref().iter().map(|column| &column.name);
        Self {
            k: file.privacy.k.as_ref().map_or(0..0, Spanned::span),
            method: file.privacy.method.as_ref().map_or(0..0, Spanned::span),
            risks: file.privacy.risks.as_ref().map_or(0..0, Spanned::span),
            columns: columns
                .map(|name| (name.as_ref().clone(), name.span()))
                .collect(),
        }
    }

    fn place_of(&self, error: &PlanError) -> (&'static str, Range<usize>) {
        let column = error.column();
        let named = |(name, _): &&(String, _)| Some(name.as_str()) == column;
        match (error, self.columns.iter().find(named)) {
            (_, Some((_, span))) => ("column", span.clone()),
            (PlanError::RiskOutOfRange { .. }, _) => ("risks", self.risks.clone()),
            (PlanError::MetricOfMondrian, _) => ("method", self.method.clone()),
            _ => ("k", self.k.clone()),
        }
    }
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
