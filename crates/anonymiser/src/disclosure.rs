//! What the classes of a table tell of a sensitive column, as measured: the parameters with which each model of
//! [`models`](crate::models) would just hold.

use serde::{Deserialize, Serialize};

use crate::hierarchy::Hierarchy;
use crate::models::{Distance, Histogram, Judge, Model};
use crate::plan::{Plan, Role};
use crate::promises::Rows;
use crate::table::{Column, Table};
use crate::transform::hierarchy_of;

/// Classes times distinct values up to which ordered and hierarchical distances are measured: each class walks over all values.
pub const MAX_STEPS: usize = 2_000_000_000;

/// What was measured of one sensitive column, over all classes. Classes are those of the quasi-identifiers that the table has, and
/// are compared with the table itself. It quotes no value. Of a table without rows, all is 0 or nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// Name of the column.
    pub column: String,
    /// Distinct values of the table.
    pub values: usize,
    /// Distinct values of the class that has fewest: l of distinct l-diversity.
    pub distinct_l: usize,
    /// 2 to the power of the least entropy of a class in bits: l of entropy l-diversity (Machanavajjhala et al., 2007), 1 at least.
    pub entropy_l: f64,
    /// Rows of the most frequent value ÷ all others, in the class where that is most: recursive (c, 2)-diversity holds for every
    /// greater c. Nothing, where a class has one value: then for none.
    pub recursive_c: Option<f64>,
    /// The greatest earth mover's distance of a class from the table, all values being equally far apart: t of t-closeness (Li et
    /// al., 2007).
    pub t_equal: f64,
    /// … values being as far apart as their ranks. Nothing beyond [`MAX_STEPS`].
    pub t_ordered: Option<f64>,
    /// … as their hierarchy joins them. Nothing without one that has an entry for every value, nor beyond [`MAX_STEPS`].
    pub t_hierarchical: Option<f64>,
    /// The greatest |log₂(share in the class ÷ share in the table)|: δ-disclosure privacy (Brickell and Shmatikov, 2008) holds for
    /// every greater δ. Nothing, where a class lacks a value: then for none.
    pub delta: Option<f64>,
    /// The same, of the values that a class has.
    pub delta_present: f64,
    /// The greatest (share in the class − share in the table) ÷ share in the table: β of basic β-likeness (Cao and Karras, 2012).
    pub beta: f64,
    /// The share of the rows whose value is guessed by whoever knows the class and guesses its most frequent one.
    pub guessed: f64,
    /// … by whoever knows the table and guesses its most frequent one. What [`Self::guessed`] is above this, the classes tell.
    pub guessed_blindly: f64,
}

/// Of each sensitive column that the table has, in its order.
pub(crate) fn disclosures(
    table: &Table,
    plan: &Plan,
    rows: &Rows,
    classes: usize,
) -> Vec<Disclosure> {
    let columns = table.columns().iter().filter_map(|column| {
        let declared = plan.column(column.name())?;
        let is_sensitive = declared.role == Role::Sensitive;
        let hierarchy = || hierarchy_of(declared, column);
        is_sensitive.then(|| disclosure(column, hierarchy().as_deref(), rows, classes))
    });
    columns.collect()
}

fn disclosure(
    column: &Column,
    hierarchy: Option<&Hierarchy>,
    rows: &Rows,
    classes: usize,
) -> Disclosure {
    let counts: Vec<u64> = column
        .counts()
        .into_iter()
        .map(|count| count as u64)
        .collect();
    let all = column.codes().len() as u64;
    let judges = Judges::new(column, hierarchy, classes);
    let mut histogram = Histogram::of(column.values().len());
    let mut worst: Option<Worst> = None;
    let mut guessed = 0;
    for class in 0..classes {
        for &row in rows.of_class(class) {
            histogram.add(column.codes()[row], 1);
        }
        histogram.settle();
        let of_class = Worst::of(&mut histogram, &judges, &counts, all);
        guessed += histogram.most_and_others().0;
        worst = Some(match worst {
            Some(worst) => worst.or(&of_class),
            None => of_class,
        });
        histogram.clear();
    }
    let share = |count: u64| {
        if all == 0 {
            0.0
        } else {
            count as f64 / all as f64
        }
    };
    let worst = worst.unwrap_or_default();
    Disclosure {
        column: column.name().to_string(),
        values: counts.len(),
        distinct_l: worst.distinct,
        entropy_l: worst.entropy.map_or(0.0, f64::exp2),
        recursive_c: worst.recursive_c,
        t_equal: worst.t_equal,
        t_ordered: worst.t_ordered,
        t_hierarchical: worst.t_hierarchical,
        delta: (worst.distinct == counts.len()).then_some(worst.delta),
        delta_present: worst.delta,
        beta: worst.beta,
        guessed: share(guessed),
        guessed_blindly: share(counts.iter().copied().max().unwrap_or_default()),
    }
}

/// The distances that can be measured.
struct Judges {
    equal: Judge,
    ordered: Option<Judge>,
    hierarchical: Option<Judge>,
}

impl Judges {
    fn new(column: &Column, hierarchy: Option<&Hierarchy>, classes: usize) -> Self {
        let judge = |distance, hierarchy| {
            Judge::new(Model::TCloseness { t: 1.0, distance }, column, hierarchy)
        };
        let is_walked = classes.saturating_mul(column.values().len()) <= MAX_STEPS;
        let hierarchy = hierarchy.filter(|_| is_walked);
        Self {
            equal: judge(Distance::Equal, None),
            ordered: is_walked.then(|| judge(Distance::Ordered, None)),
            hierarchical: hierarchy.map(|tree| judge(Distance::Hierarchical, Some(tree))),
        }
    }
}

/// The worst of some classes, by each measure.
#[derive(Debug, Clone, Default)]
struct Worst {
    distinct: usize,
    entropy: Option<f64>,
    recursive_c: Option<f64>,
    t_equal: f64,
    t_ordered: Option<f64>,
    t_hierarchical: Option<f64>,
    delta: f64,
    beta: f64,
}

impl Worst {
    fn of(class: &mut Histogram, judges: &Judges, table: &[u64], rows: u64) -> Self {
        let (most, others) = class.most_and_others();
        let mut distance = |judge: &Judge| judge.distance(class);
        let t_equal = distance(&judges.equal);
        let t_ordered = judges.ordered.as_ref().map(&mut distance);
        let t_hierarchical = judges.hierarchical.as_ref().map(&mut distance);
        Self {
            distinct: class.distinct(),
            entropy: Some(class.entropy().max(0.0)),
            recursive_c: (others > 0).then(|| most as f64 / others as f64),
            t_equal,
            t_ordered,
            t_hierarchical,
            delta: judges.equal.disclosure(class),
            beta: class.gain(table, rows),
        }
    }

    fn or(&self, other: &Self) -> Self {
        let more = |one: Option<f64>, other: Option<f64>| Some(one?.max(other?));
        let less = |one: Option<f64>, other: Option<f64>| Some(one?.min(other?));
        Self {
            distinct: self.distinct.min(other.distinct),
            entropy: less(self.entropy, other.entropy),
            recursive_c: more(self.recursive_c, other.recursive_c),
            t_equal: self.t_equal.max(other.t_equal),
            t_ordered: more(self.t_ordered, other.t_ordered),
            t_hierarchical: more(self.t_hierarchical, other.t_hierarchical),
            delta: self.delta.max(other.delta),
            beta: self.beta.max(other.beta),
        }
    }
}
