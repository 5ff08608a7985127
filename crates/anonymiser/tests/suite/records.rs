//! Real records, and what ARX 3.9.2 made of them: levels, score, suppressed rows and classes of the optimum, and the time it took.
//!
//! The records are too large to carry along; they are looked for in the folder that `MEDSHARE_DATA` names, or beside the
//! checkout, and whoever does not find them says so. Tests and benchmarks share this module.

use std::io::Read;
use std::path::PathBuf;

use medshare_anonymiser::{
    ColumnPlan, Distance, Hierarchy, Metric, Model, Plan, Privacy, Role, Table,
};

/// Which table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// 30,162 rows of the US census of 1994, with eight quasi-identifiers.
    Adult,
    /// The same with nine.
    Adult9,
    /// 101,766 encounters of 130 US hospitals with nine quasi-identifiers.
    Diabetes,
    /// [`Records::Adult`] 34 times, ages shifted: 1,025,508 rows.
    Million,
}

/// Beside k = 5, of the column `occupation`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extra {
    None,
    Diversity(usize),
    Closeness(Distance),
}

/// What is asked, and what ARX found, in which time.
#[allow(dead_code)] // Each of those who share it reads some.
pub struct Configuration {
    pub records: Records,
    pub extra: Extra,
    /// Share of the rows that may be suppressed.
    pub limit: f64,
    pub metric: Metric,
    /// Empty where what is least of equal cost is not unique.
    pub levels: &'static [usize],
    pub score: f64,
    pub suppressed: usize,
    pub classes: usize,
    /// Nodes that this search groups at most; more would mean that a bound or a tag has stopped working.
    pub checked: usize,
    /// Nodes that ARX groups.
    pub arx_checked: usize,
    /// ARX's processor time in milliseconds, warm, of its one thread.
    pub arx_ms: f64,
    /// ARX's least memory in MiB, where it was measured.
    pub arx_mib: Option<f64>,
}

const fn row(
    (records, extra, limit, metric): (Records, Extra, f64, Metric),
    levels: &'static [usize],
    (score, suppressed, classes): (f64, usize, usize),
    checked: usize,
    (arx_checked, arx_ms, arx_mib): (usize, f64, Option<f64>),
) -> Configuration {
    Configuration {
        records,
        extra,
        limit,
        metric,
        levels,
        score,
        suppressed,
        classes,
        checked,
        arx_checked,
        arx_ms,
        arx_mib,
    }
}

use Extra::{Closeness, Diversity};
use Metric::{AverageClassSize, Height, Loss};
use Records::{Adult, Adult9, Diabetes, Million};

/// The rows of the reference, in its order.
#[rustfmt::skip]
pub const CONFIGURATIONS: [Configuration; 22] = [
    row((Adult9, Extra::None, 0.0, Loss), &[0, 4, 1, 1, 3, 2, 2, 1, 0], (0.5731509655590044, 0, 24), 28, (181, 36.8, None)),
    row((Adult9, Extra::None, 0.0, AverageClassSize), &[], (628.375, 0, 48), 49, (181, 26.3, None)),
    row((Adult9, Extra::None, 0.0, Height), &[], (14.0, 0, 26), 47, (181, 29.1, None)),
    row((Adult9, Extra::None, 0.05, Loss), &[0, 3, 0, 0, 2, 1, 1, 2, 0], (0.2419323650662908, 1_346, 397), 331, (1_217, 749.0, Some(159.0))),
    row((Adult9, Extra::None, 0.05, AverageClassSize), &[], (28.808022922636102, 906, 1_046), 2_240, (4_842, 893.9, None)),
    row((Adult9, Extra::None, 0.05, Height), &[], (8.0, 1_427, 652), 797, (2_867, 752.0, None)),
    row((Adult9, Extra::None, 0.04, Loss), &[0, 3, 0, 1, 1, 1, 1, 2, 0], (0.26611081915757495, 1_178, 370), 342, (1_466, 740.1, None)),
    row((Adult, Extra::None, 0.0, Loss), &[0, 4, 1, 2, 3, 2, 0, 0], (0.542210825407941, 0, 26), 18, (122, 16.6, None)),
    row((Adult, Diversity(2), 0.0, Loss), &[0, 4, 1, 2, 3, 2, 0, 0], (0.542210825407941, 0, 26), 18, (122, 22.6, None)),
    row((Adult, Diversity(3), 0.0, Loss), &[0, 4, 1, 2, 3, 2, 0, 0], (0.542210825407941, 0, 26), 18, (122, 22.1, None)),
    row((Adult, Closeness(Distance::Hierarchical), 0.0, Loss), &[0, 4, 1, 1, 3, 2, 2, 1], (0.7591763053456835, 0, 4), 17, (33, 11.4, None)),
    row((Adult, Closeness(Distance::Equal), 0.0, Loss), &[1, 4, 1, 1, 3, 2, 2, 1], (0.9183953641009659, 0, 2), 11, (26, 13.7, None)),
    row((Adult, Extra::None, 0.05, Loss), &[0, 3, 0, 0, 2, 1, 1, 0], (0.17012279194738156, 1_346, 397), 83, (447, 180.4, None)),
    row((Adult, Diversity(2), 0.05, Loss), &[0, 3, 0, 0, 2, 1, 1, 0], (0.17012279194738156, 1_346, 397), 83, (434, 281.0, None)),
    row((Adult, Diversity(3), 0.05, Loss), &[0, 3, 0, 0, 2, 1, 1, 0], (0.17170218121750636, 1_400, 387), 79, (450, 296.5, None)),
    row((Adult, Closeness(Distance::Hierarchical), 0.05, Loss), &[1, 4, 0, 0, 3, 1, 2, 1], (0.6128064960163953, 1_384, 24), 904, (3_022, 678.1, None)),
    row((Adult, Closeness(Distance::Equal), 0.05, Loss), &[1, 4, 1, 1, 3, 1, 2, 1], (0.8150031862123897, 235, 6), 306, (3_051, 782.4, None)),
    row((Diabetes, Extra::None, 0.0, Loss), &[0, 1, 3, 2, 3, 2, 2, 1, 2], (0.6578492243217284, 0, 72), 14, (135, 90.3, None)),
    row((Diabetes, Extra::None, 0.05, Loss), &[0, 0, 2, 1, 1, 1, 2, 1, 2], (0.2501857087649202, 4_542, 1_612), 595, (2_372, 3_941.0, Some(225.0))),
    row((Million, Extra::None, 0.0, Loss), &[0, 4, 0, 0, 0, 0, 0, 0], (0.09050773266525769, 0, 3_323), 4, (134, 267.0, None)),
    row((Million, Extra::None, 0.05, Loss), &[0, 1, 0, 0, 0, 0, 0, 0], (0.009795293118445292, 4_979, 12_655), 5, (46, 397.9, Some(351.0))),
    row((Million, Diversity(3), 0.05, Loss), &[0, 2, 0, 0, 2, 1, 1, 0], (0.14980617960838627, 36_181, 914), 94, (537, 2_400.0, None)),
];

impl Configuration {
    /// As the reference names it, such as `adult k5+th0.2 5 % loss`.
    pub fn name(&self) -> String {
        let records = match self.records {
            Adult => "adult",
            Adult9 => "adult9",
            Diabetes => "diab",
            Million => "adult1m",
        };
        let extra = match self.extra {
            Extra::None => String::new(),
            Diversity(l) => format!("+l{l}"),
            Closeness(Distance::Hierarchical) => "+th0.2".to_owned(),
            Closeness(_) => "+te0.2".to_owned(),
        };
        let metric = match self.metric {
            AverageClassSize => "aecs",
            Height => "height",
            _ => "loss",
        };
        let percent = self.limit * 100.0;
        format!("{records} k5{extra} {percent} % {metric}")
    }

    /// The table with its columns in the order of the reference, which decides ties, and the plan.
    pub fn arranged(&self, table: &Table) -> (Table, Plan) {
        let sensitive = match self.extra {
            Extra::None => None,
            Diversity(l) => Some(occupation(Model::DistinctLDiversity { l })),
            Closeness(distance) => Some(occupation(Model::TCloseness { t: 0.2, distance })),
        };
        let (table, mut plan) = self.records.arranged(table, sensitive, self.limit);
        plan.privacy.metric = self.metric;
        (table, plan)
    }
}

/// Sensitive, with this model.
pub fn occupation(model: Model) -> ColumnPlan {
    let hierarchical = matches!(
        model,
        Model::TCloseness {
            distance: Distance::Hierarchical,
            ..
        }
    );
    ColumnPlan {
        hierarchy: hierarchical.then(|| Adult.hierarchy("occupation")),
        models: vec![model],
        ..ColumnPlan::new("occupation", Role::Sensitive)
    }
}

const CENSUS: [&str; 9] = [
    "sex",
    "age",
    "race",
    "marital-status",
    "education",
    "native-country",
    "workclass",
    "occupation",
    "salary-class",
];
const HOSPITALS: [&str; 9] = [
    "race",
    "gender",
    "age",
    "admission_type_id",
    "discharge_disposition_id",
    "admission_source_id",
    "time_in_hospital",
    "payer_code",
    "medical_specialty",
];

impl Records {
    /// The quasi-identifiers in the order of the reference.
    pub fn quasi_identifiers(self) -> Vec<&'static str> {
        match self {
            Adult9 => CENSUS.to_vec(),
            Diabetes => HOSPITALS.to_vec(),
            Adult | Million => {
                let eight = CENSUS.iter().filter(|name| **name != "occupation");
                eight.copied().collect()
            }
        }
    }

    pub fn delimiter(self) -> u8 {
        if self == Diabetes { b',' } else { b';' }
    }

    /// The text of the table, if the records are there.
    pub fn csv(self) -> Option<Vec<u8>> {
        match self {
            Adult | Adult9 => file("adult/adult.csv"),
            Million => Some(million(&file("adult/adult.csv")?)),
            Diabetes => {
                let zipped = file("diabetes130/diabetic_data.csv.gz")?;
                let mut csv = Vec::new();
                flate2::read::GzDecoder::new(&zipped[..])
                    .read_to_end(&mut csv)
                    .unwrap();
                Some(csv)
            }
        }
    }

    pub fn table(self) -> Option<Table> {
        Some(Table::from_csv(&self.csv()?, self.delimiter()).unwrap())
    }

    pub fn hierarchy(self, column: &str) -> Hierarchy {
        let prefix = if self == Diabetes {
            "diabetes130/diabetes130"
        } else {
            "adult/adult"
        };
        let bytes = file(&format!("{prefix}_hierarchy_{column}.csv"));
        Hierarchy::from_csv(&bytes.unwrap(), b';').unwrap()
    }

    /// The quasi-identifiers, and the sensitive column behind them; k = 5, by Loss.
    pub fn arranged(
        self,
        table: &Table,
        sensitive: Option<ColumnPlan>,
        limit: f64,
    ) -> (Table, Plan) {
        let columns = self.quasi_identifiers().into_iter().map(|name| {
            ColumnPlan::new(name, Role::QuasiIdentifier).generalised_by(self.hierarchy(name))
        });
        let columns: Vec<ColumnPlan> = columns.chain(sensitive).collect();
        let order = columns
            .iter()
            .map(|column| table.column_index(&column.name).unwrap());
        let table = table.select(&order.collect::<Vec<usize>>());
        let privacy = Privacy {
            k: 5,
            suppression_limit: limit,
            ..Privacy::default()
        };
        (table, Plan { columns, privacy })
    }
}

/// Copies of the census: copy c shifts all ages by (c mod 9) − 4.
fn million(adult: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(adult).unwrap();
    let mut lines = text.lines();
    let mut million = format!("{}\n", lines.next().unwrap());
    let rows: Vec<(&str, i32, &str)> = lines
        .map(|line| {
            let (sex, rest) = line.split_once(';').unwrap();
            let (age, rest) = rest.split_once(';').unwrap();
            (sex, age.parse().unwrap(), rest)
        })
        .collect();
    for copy in 0..34 {
        for (sex, age, rest) in &rows {
            let age = (age + copy % 9 - 4).clamp(1, 100);
            million.extend([sex, ";", &age.to_string(), ";", rest, "\n"]);
        }
    }
    million.into_bytes()
}

pub fn file(name: &str) -> Option<Vec<u8>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("MEDSHARE_DATA").map_or(beside, PathBuf::from);
    let bytes = std::fs::read(data.join(name)).ok();
    if bytes.is_none() {
        println!("LEFT OUT: {name} is neither in MEDSHARE_DATA nor in ../shared/data");
    }
    bytes
}
