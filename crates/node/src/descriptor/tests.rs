#![allow(clippy::unwrap_used)]

use super::*;
use medshare_anonymiser::{Effort, Method, Metric, SafeHarborRule};
use medshare_chain::ResponseKind;
use medshare_protocol::usage::Action;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// The example with one place changed, in a folder of its own, with its hierarchy, as a node reads it.
fn changed(from: &str, to: &str) -> Result<Dataset, DescriptorError> {
    changed_for(Dataset::load, from, to)
}

fn changed_for(
    load: impl FnOnce(&Path) -> Result<Dataset, DescriptorError>,
    from: &str,
    to: &str,
) -> Result<Dataset, DescriptorError> {
    let text = std::fs::read_to_string(examples().join("dataset.toml")).unwrap();
    assert!(text.contains(from), "the example has no `{from}`");
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(examples().join("age.csv"), folder.path().join("age.csv")).unwrap();
    std::fs::write(folder.path().join("bad.csv"), "31;30-39;*\n34;*\n").unwrap();
    let path = folder.path().join("dataset.toml");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    load(&path)
}

#[test]
fn the_example_is_taken() {
    let dataset = Dataset::load(&examples().join("dataset.toml")).unwrap();
    assert_eq!(dataset.id, DatasetId::of_name("encounters"));
    assert_eq!(dataset.purposes.len(), 2);
    assert_eq!(
        dataset.responses,
        [Response {
            kind: ResponseKind::RevokeDataset,
            threshold: 2
        }]
    );
    assert_eq!(dataset.plan.columns.len(), 6);
    assert_eq!(
        dataset.plan.columns[2].hierarchy.as_ref().unwrap().levels(),
        3
    );
    assert_eq!(
        dataset.plan.privacy,
        Privacy {
            k: 2,
            suppression_limit: 0.05,
            ..Privacy::default()
        }
    );
    assert_eq!(dataset.usage.granted, [Action::Read].into_iter().collect());
    assert_eq!(dataset.usage.environment, Environment::Any);
    assert_eq!(dataset.source.file(), examples().join("encounters.csv"));
}

#[test]
fn what_is_published_is_the_hash_of_the_public_part_alone() {
    let dataset = changed("k = 2", "k = 2").unwrap();
    let again: PublicDescriptor = serde_json::from_slice(&dataset.descriptor_bytes).unwrap();
    assert_eq!(again, dataset.descriptor);
    assert_eq!(public_bytes(&again), dataset.descriptor_bytes);
    assert_eq!(
        dataset.descriptor_hash,
        sha256(&[&dataset.descriptor_bytes])
    );
    let text = String::from_utf8(dataset.descriptor_bytes.clone()).unwrap();
    assert!(
        !text.contains("encounters.csv") && !text.contains("30-39"),
        "{text}"
    );
    let other_file = changed("encounters.csv", "others.csv").unwrap();
    assert_eq!(other_file.descriptor_hash, dataset.descriptor_hash);
    let other_k = changed("k = 2", "k = 3").unwrap();
    assert_ne!(other_k.descriptor_hash, dataset.descriptor_hash);
    assert_ne!(other_k.plan_hash, dataset.plan_hash);
}

#[test]
fn the_public_part_is_enough_to_measure_by() {
    let dataset = changed("k = 2", "k = 2").unwrap();
    let mut expected = dataset.plan.clone();
    expected.columns[2].hierarchy = None;
    assert_eq!(public_plan(&dataset.descriptor), Some(expected));
    let mut unknown = dataset.descriptor;
    unknown.columns[0].role = "secret".into();
    assert_eq!(public_plan(&unknown), None);
}

#[test]
fn left_out_keys_have_the_documented_values() {
    let bare = changed("k = 2", "").unwrap();
    assert_eq!(
        bare.plan.privacy,
        Privacy {
            k: 5,
            suppression_limit: 0.05,
            ..Privacy::default()
        }
    );
    let bare = changed("purposes = [\"HRESCH\", \"DUO:0000042\"]", "").unwrap();
    assert!(bare.purposes.is_empty());
    let reader = changed("environment = \"any\"", "").unwrap();
    assert_eq!(reader.usage.environment, Environment::Sandbox);
    let text = "granted = [\"read\"]";
    let copier = changed(text, "granted = [\"read\", \"copy\"]").unwrap();
    assert_eq!(copier.usage.environment, Environment::Any);
}

#[test]
fn all_that_a_plan_knows_is_taken_and_what_the_second_node_needs_is_published() {
    let privacy = r#"k = 2
metric = "discernibility"
search-nodes = 1000
safe-harbor = true
risks = [{ attacker = "marketer", figure = "average", at-most = 0.2 }]"#;
    let dataset = changed("k = 2", privacy).unwrap();
    let plan = &dataset.plan.privacy;
    assert_eq!(
        (plan.metric, plan.search, plan.safe_harbor, plan.risks.len()),
        (Metric::Discernibility, Effort::Nodes(1_000), true, 1)
    );
    let public = public_plan(&dataset.descriptor).unwrap().privacy;
    assert_eq!((&public.risks, public.safe_harbor), (&plan.risks, true));
    let transformed = r#"kind = "text"
role = "text"
scrub = true
accept = ["names"]"#;
    let dataset = changed("kind = \"text\"\nrole = \"quasi-identifier\"", transformed).unwrap();
    let column = &public_plan(&dataset.descriptor).unwrap().columns[3];
    assert_eq!((column.role, column.scrub), (Role::Text, true));
    assert_eq!(column.accept, [SafeHarborRule::Names]);
    let ruled = r#"rule = { kind = "intervals", widths = [5, 20], upper = 90 }
missing = ["?"]"#;
    let dataset = changed("hierarchy = \"age.csv\"", ruled).unwrap();
    let age = &dataset.plan.columns[2];
    assert!(age.rule.is_some() && age.missing == ["?"]);
    let cut = changed("k = 2", "k = 2\nmethod = \"mondrian\"").unwrap();
    assert_eq!(cut.plan.privacy.method, Method::Mondrian);
}

/// The keys of a column that the example shows in comments, in one line each.
#[test]
fn what_the_example_shows_in_comments_is_taken() {
    let text = std::fs::read_to_string(examples().join("dataset.toml")).unwrap();
    let (_, shown) = text.split_once("# Whatever else").unwrap();
    let mut taken = 0;
    for line in shown.lines().skip(1) {
        let Some(keys) = line.strip_prefix("# ") else {
            continue;
        };
        let keys = keys.split('#').next().unwrap().replace(", top", "\ntop");
        let keys = keys.replace(", scrub", "\nscrub");
        let (of, role) = match keys.split(' ').next().unwrap() {
            "missing" => ("hierarchy = \"age.csv\"", "rule = { kind = \"mask\" }\n"),
            "rule" | "aggregate" => ("hierarchy = \"age.csv\"", ""),
            "role" => ("role = \"plain\"", ""),
            _ => ("role = \"plain\"", "role = \"plain\"\n"),
        };
        if keys.trim().is_empty() {
            continue;
        }
        changed(of, &format!("{role}{keys}")).unwrap_or_else(|error| panic!("{keys}: {error}"));
        taken += 1;
    }
    assert_eq!(taken, 9);
}

#[test]
fn models_of_sensitive_columns_are_taken_published_and_read_back() {
    let models = r#"models = [{ model = "distinct-l-diversity", l = 2 },
        { model = "entropy-l-diversity", l = 2 }, { model = "recursive-l-diversity", c = 3, l = 2 },
        { model = "t-closeness", t = 0.5, distance = "ordered" }, { model = "delta-disclosure", delta = 1.5 }]"#;
    let dataset = changed("# models = []", models).unwrap();
    let planned = &dataset.plan.columns[4].models;
    assert_eq!(planned.len(), 5);
    let bytes = String::from_utf8(dataset.descriptor_bytes.clone()).unwrap();
    assert!(
        bytes.contains(r#""models":[{"l":2,"model":"distinct-l-diversity"}"#),
        "{bytes}"
    );
    let public: PublicDescriptor = serde_json::from_str(&bytes).unwrap();
    assert_eq!(&public_plan(&public).unwrap().columns[4].models, planned);
    let mut unknown = public;
    unknown.columns[4].models[0] = serde_json::json!({ "model": "x-diversity", "l": 2 });
    assert_eq!(public_plan(&unknown), None);
    // Without models it is what it was: published hashes stay.
    let without = String::from_utf8(changed("", "").unwrap().descriptor_bytes).unwrap();
    assert!(!without.contains("models"), "{without}");
}

#[test]
fn an_sqlite_source_is_taken_with_its_query() {
    let dataset = changed(
        "kind = \"csv\"                            # or \"sqlite\"\nfile = \"encounters.csv\"",
        "kind = \"sqlite\"\nquery = \"SELECT 1\"\nfile = \"hospital.db\"",
    )
    .unwrap();
    let SourceSpec::Sqlite { file, query } = dataset.source else {
        panic!("not SQLite")
    };
    assert!(file.ends_with("hospital.db"));
    assert_eq!(query, "SELECT 1");
}

/// What no second node could check is for whoever serves nothing.
#[test]
fn hierarchical_distance_and_a_population_are_taken_where_nothing_is_served() {
    let alone = |from: &str, to: &str| changed_for(Dataset::load_alone, from, to);
    let model = "models = [{ model = \"t-closeness\", t = 0.2, distance = \"hierarchical\" }]";
    for tree in ["hierarchy = \"age.csv\"", "rule = { kind = \"icd10\" }"] {
        let descriptor = format!("{model}\n{tree}");
        let plan = alone("# models = []", &descriptor).unwrap().plan;
        assert!(plan.columns[4].models[0].needs_hierarchy());
        let refused = changed("# models = []", &descriptor).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains("which stays with the custodian"),
            "{refused}"
        );
    }
    let bare = alone("# models = []", model).unwrap_err().to_string();
    assert!(
        bare.contains("a model of hierarchical distance and no hierarchy; add one"),
        "{bare}"
    );
    let unused = alone(
        "role = \"sensitive\"",
        "role = \"sensitive\"\nhierarchy = \"age.csv\"",
    );
    let unused = unused.unwrap_err().to_string();
    assert!(unused.contains("no model that uses it"), "{unused}");
    let within = "k = 2\npopulation = \"age.csv\"";
    let population = alone("k = 2", within).unwrap().population.unwrap();
    assert!(matches!(
        population,
        SourceSpec::Csv { file, delimiter: b',' } if file.ends_with("age.csv")
    ));
    // Beside a database as well.
    let database = "kind = \"sqlite\"\nquery = \"SELECT 1\"\nfile = \"h.db\"\n[privacy]\npopulation = \"age.csv\"";
    let text = std::fs::read_to_string(examples().join("dataset.toml")).unwrap();
    let (from, _) = text.split_once("[privacy]").unwrap();
    let (_, from) = from.split_once("[source]\n").unwrap();
    let beside = alone(&format!("{from}[privacy]"), database).unwrap();
    assert!(matches!(
        beside.population,
        Some(SourceSpec::Csv {
            delimiter: b',',
            ..
        })
    ));
    assert!(alone("k = 2", "k = 2").unwrap().population.is_none());
    let missing = alone("k = 2", "k = 2\npopulation = \"none.csv\"").unwrap_err();
    let missing = missing.to_string();
    assert!(
        missing.contains("line 26, `population`: cannot read "),
        "{missing}"
    );
}

#[test]
fn every_fault_is_named_with_file_line_and_key() {
    for (from, to, fragment) in [
        (
            "name = \"encounters\"",
            "name = \"two words\"",
            "line 4, `name`: a dataset's name has",
        ),
        (
            "name = \"encounters\"",
            "name = 7",
            "line 4: invalid type: integer `7`, expected a string",
        ),
        (
            "title = \"Hospital encounters, ward 7\"",
            "title = \" \"",
            "line 5, `title`: a title is one line",
        ),
        (
            "title = \"Hospital",
            "titel = \"Hospital",
            "line 5: unknown field `titel`",
        ),
        (
            "\"HRESCH\"",
            "\"two words\"",
            "line 7: `two words` is no purpose code",
        ),
        (
            "kind = \"csv\"",
            "kind = \"excel\"",
            "line 10: unknown variant `excel`, expected `csv` or `sqlite`",
        ),
        (
            "kind = \"csv\"",
            "kind = \"sqlite\"",
            "line 11, `query`: say with a SELECT",
        ),
        (
            "# delimiter = \",\"",
            "query = \"SELECT 1\"",
            "line 12, `query`: a CSV file is read as it is",
        ),
        (
            "# delimiter = \",\"",
            "delimiter = \"::\"",
            "line 12, `delimiter`: a delimiter is one of",
        ),
        (
            "purposes = [\"HRESCH\", \"DUO:0000042\"]",
            "purposes = [\"HRESCH\", \"DUO:0000042\", \"HRESCH\"]",
            "`purposes`: `HRESCH` is listed twice",
        ),
        ("k = 2", "k = 1", "line 25, `k`: k is 1, and 2 is the least"),
        ("k = 2", "k = 0", "line 25, `k`: k is 0, and 2 is the least"),
        (
            "k = 2",
            "k = 9223372036854775807",
            "line 25, `k`: k is 9223372036854775807, and 4294967295 is the most",
        ),
        (
            "k = 2",
            "risks = [{ attacker = \"marketer\", figure = \"average\", at-most = 0 }]",
            "`risks`: ",
        ),
        (
            "k = 2",
            "k = 2\npopulation = \"age.csv\"",
            "line 26, `population`: the second node measures the risks on the release alone",
        ),
        (
            "k = 2",
            "search-nodes = 0",
            "`search-nodes`: a search looks",
        ),
        (
            "k = 2",
            "metric = \"height\"\nmethod = \"mondrian\"",
            "line 26, `method`: Mondrian cuts by Loss",
        ),
        (
            "hierarchy = \"age.csv\"",
            "hierarchy = \"age.csv\"\nrule = { kind = \"icd10\" }",
            "`column`: column `age`: ",
        ),
        (
            "hierarchy = \"age.csv\"",
            "rule = { kind = \"mask\", step = 0 }",
            "line 55, `rule`: column `age`: a mask's step is one",
        ),
        (
            "hierarchy = \"age.csv\"",
            "rule = { kind = \"roman\" }",
            "unknown variant `roman`",
        ),
        (
            "role = \"identifier\"",
            "role = \"identifier\"\naccept = [\"names\"]",
            "`column`: column `name` accepts a rule of Safe Harbor",
        ),
        ("k = 2", "k = -1", "line 25: "),
        (
            "k = 2",
            "suppression-limit = 1.5",
            "line 25, `suppression-limit`: it is a share",
        ),
        (
            "granted = [\"read\"]",
            "granted = [\"reed\"]",
            "line 29: unknown variant `reed`",
        ),
        (
            "granted = [\"read\"]",
            "granted = [\"decrypt\"]",
            "line 29, `granted`: `decrypt` can be neither",
        ),
        (
            "retention-days = 30",
            "retention-days = 0",
            "line 32, `retention-days`: packages are kept for 1 to",
        ),
        (
            "after = 2",
            "after = 0",
            "line 38, `after`: violations count from 1",
        ),
        (
            "action = \"revoke-dataset\"",
            "action = \"scold\"",
            "line 37: unknown variant `scold`",
        ),
        (
            "[[column]]",
            "[[response]]\naction = \"revoke-dataset\"\nafter = 3\n[[column]]",
            "line 43, `after`: this action is listed before",
        ),
        (
            "name = \"age\"",
            "name = \"sex\"",
            "`name`: column `sex` is declared twice",
        ),
        (
            "name = \"age\"",
            "name = \"\"",
            "`name`: a column needs the name",
        ),
        (
            "role = \"pseudonym\"",
            "role = \"alias\"",
            "line 49: unknown variant `alias`",
        ),
        (
            "# models = []",
            "models = [{ model = \"distinct-l-diversity\", l = 0 }]",
            "line 66, `models`: distinct 0-diversity: l is a count from 1",
        ),
        (
            "# models = []",
            "models = [{ model = \"t-closeness\", t = 0.2, distance = \"hierarchical\" }]",
            "`models`: 0.2-closeness by hierarchical distance needs the hierarchy",
        ),
        (
            "# models = []",
            "models = [{ model = \"k-anonymity\", k = 2 }]",
            "unknown variant `k-anonymity`",
        ),
        (
            "hierarchy = \"age.csv\"",
            "models = [{ model = \"distinct-l-diversity\", l = 2 }] #",
            "`models`: column `age` is not sensitive",
        ),
        (
            "role = \"sensitive\"",
            "role = \"sensitive\"\nhierarchy = \"age.csv\"",
            "`hierarchy`: column `diagnosis` has a hierarchy or a rule but is no quasi-identifier and has no model that uses it",
        ),
        (
            "hierarchy = \"age.csv\"",
            "hierarchy = \"none.csv\"",
            "line 55, `hierarchy`: cannot read ",
        ),
        (
            "hierarchy = \"age.csv\"",
            "hierarchy = \"bad.csv\"",
            "bad.csv: line 2",
        ),
        (
            "kind = \"decimal\"",
            "kind = \"number\"",
            "unknown variant `number`",
        ),
    ] {
        let error = changed(from, to).unwrap_err().to_string();
        assert!(error.contains(fragment), "{error}\n    lacks: {fragment}");
        assert!(error.contains("dataset.toml, line "), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_dataset_of_nothing_but_identifiers_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dataset.toml");
    let text = "name = \"a\"\ntitle = \"a\"\n[source]\nkind = \"csv\"\nfile = \"a\"\n[usage]\ngranted = []\nretention-days = 1\n[[column]]\nname = \"n\"\nkind = \"text\"\nrole = \"identifier\"\n";
    std::fs::write(&path, text).unwrap();
    let error = Dataset::load(&path).unwrap_err().to_string();
    assert!(error.contains("identifiers are never released"), "{error}");
    std::fs::write(
        &path,
        text.replace("role = \"identifier\"", "role = \"plain\""),
    )
    .unwrap();
    Dataset::load(&path).unwrap();
    std::fs::write(&path, vec![b'#'; 1024 * 1024 + 1]).unwrap();
    assert!(matches!(
        Dataset::load(&path),
        Err(DescriptorError::TooLarge { .. })
    ));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text: String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dataset.toml");
        std::fs::write(&path, text).unwrap();
        let _ = Dataset::load(&path);
    }
}
