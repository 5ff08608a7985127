//! Writes releases and what this crate measures of them into a folder, for another tool to measure them again
//! (`tests/pycanon`): `cases.json` and a CSV file for each case.
//!
//!     cargo run -p medshare-anonymiser --example measured -- FOLDER

use std::error::Error;
use std::path::{Path, PathBuf};

use medshare_anonymiser::{
    AnonymiseError, ColumnPlan, Distance, Hierarchy, Model, Plan, Role, Table, anonymise, measure,
};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let folder = std::env::args_os().nth(1).ok_or("usage: measured FOLDER")?;
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder)?;
    let mut cases = Vec::new();
    for seed in 1..=4 {
        let (table, plan) = random(seed)?;
        if seed <= 2 {
            cases.push(case(&folder, &format!("raw-{seed}"), &table, &plan)?);
        }
        for (name, model) in models() {
            let mut plan = plan.clone();
            plan.privacy.k = 2 + seed as usize % 4;
            plan.columns[3].models = model;
            match anonymise(&table, &plan, &[0; 32]) {
                Ok(made) => {
                    let name = format!("random-{seed}-{name}");
                    cases.push(case(&folder, &name, &made.table, &plan)?);
                }
                Err(AnonymiseError::OutOfReach { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    match adult()? {
        Some((table, plan)) => {
            for k in [10, 50] {
                let mut plan = plan.clone();
                plan.privacy.k = k;
                let made = anonymise(&table, &plan, &[0; 32])?;
                cases.push(case(&folder, &format!("adult-{k}"), &made.table, &plan)?);
            }
        }
        None => println!("LEFT OUT: ../shared/data/adult is not there"),
    }
    println!("{} cases", cases.len());
    std::fs::write(
        folder.join("cases.json"),
        serde_json::to_vec_pretty(&cases)?,
    )?;
    Ok(())
}

fn case(folder: &Path, name: &str, table: &Table, plan: &Plan) -> Outcome<Value> {
    let file = format!("{name}.csv");
    std::fs::write(folder.join(&file), table.to_csv())?;
    let of = |role: Role| -> Vec<&str> {
        let columns = plan.columns.iter().filter(|column| column.role == role);
        columns.map(|column| column.name.as_str()).collect()
    };
    Ok(json!({
        "name": name,
        "file": file,
        "quasi_identifiers": of(Role::QuasiIdentifier),
        "measures": measure(table, plan),
    }))
}

/// Models of the column `s`, by name.
fn models() -> Vec<(&'static str, Vec<Model>)> {
    let t = |distance| vec![Model::TCloseness { t: 0.3, distance }];
    vec![
        ("k", Vec::new()),
        ("l", vec![Model::DistinctLDiversity { l: 2 }]),
        ("entropy", vec![Model::EntropyLDiversity { l: 1.8 }]),
        (
            "recursive",
            vec![Model::RecursiveLDiversity { c: 3.0, l: 2 }],
        ),
        ("equal", t(Distance::Equal)),
        ("ordered", t(Distance::Ordered)),
        (
            "delta",
            vec![Model::DeltaDisclosure {
                delta: 2.5,
                every_value: true,
            }],
        ),
    ]
}

/// 60 to 300 rows of three quasi-identifiers, a sensitive text and a sensitive number, neither evenly spread.
fn random(seed: u64) -> Outcome<(Table, Plan)> {
    let mut random = Random(seed);
    let names = ["q0", "q1", "q2", "s", "n"];
    let mut builder = Table::builder(names.map(str::to_owned).to_vec())?;
    for _ in 0..60 + random.below(240) {
        let skewed = random.below(6).min(random.below(6));
        let number = random.below(9) * random.below(9);
        let q: [u64; 3] = [random.below(12), random.below(4), random.below(3)];
        let text = ["flu", "cold", "ulcer", "Asthma", "angina", "gastritis"][skewed as usize];
        let cells = [q[0].to_string(), q[1].to_string(), q[2].to_string()];
        let numbers = (number as i64 - 9).to_string();
        builder.push_row([&cells[0], &cells[1], &cells[2], text, &numbers])?;
    }
    let quasi = |name: &str, values: u64| -> Outcome<ColumnPlan> {
        let lines =
            (0..values).map(|value| format!("{value};{}..;{}..;*", value / 2 * 2, value / 4 * 4));
        let lines: Vec<String> = lines.collect();
        let hierarchy = Hierarchy::from_csv(lines.join("\n").as_bytes(), b';')?;
        Ok(ColumnPlan::new(name, Role::QuasiIdentifier).generalised_by(hierarchy))
    };
    let columns = vec![
        quasi("q0", 12)?,
        quasi("q1", 4)?,
        quasi("q2", 3)?,
        ColumnPlan::new("s", Role::Sensitive),
        ColumnPlan::new("n", Role::Sensitive),
    ];
    let mut plan: Plan = serde_json::from_str(r#"{"columns": []}"#)?;
    plan.columns = columns;
    plan.privacy.suppression_limit = 0.1;
    Ok((builder.finish(), plan))
}

/// Knuth's linear congruential generator (MMIX), its upper bits.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// The census of 1994, where it lies beside the checkout: occupation and salary are sensitive.
fn adult() -> Outcome<Option<(Table, Plan)>> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/adult");
    let Ok(bytes) = std::fs::read(data.join("adult.csv")) else {
        return Ok(None);
    };
    let table = Table::from_csv(&bytes, b';')?;
    let mut plan: Plan = serde_json::from_str(r#"{"columns": []}"#)?;
    for name in table.column_names() {
        let is_sensitive = matches!(name, "occupation" | "salary-class");
        plan.columns.push(if is_sensitive {
            ColumnPlan::new(name, Role::Sensitive)
        } else {
            let lines = std::fs::read(data.join(format!("adult_hierarchy_{name}.csv")))?;
            ColumnPlan::new(name, Role::QuasiIdentifier)
                .generalised_by(Hierarchy::from_csv(&lines, b';')?)
        });
    }
    Ok(Some((table, plan)))
}
