//! The optimum by enumeration, written from the definition and sharing nothing with the search.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use medshare_anonymiser::{
    AnonymiseError, Attacker, ColumnPlan, Distance, Figure, Hierarchy, Metric, Model, Plan,
    Privacy, RiskLimit, Role, Table, anonymise_within,
};
use proptest::prelude::*;

use crate::properties::{Case, case};

/// A node: cost, level sum, levels, suppressed rows, classes.
type Node = (f64, usize, Vec<usize>, usize, usize);

fn lines(hierarchy: &Hierarchy) -> HashMap<String, Vec<String>> {
    let lines: Vec<Vec<String>> = hierarchy.clone().into();
    lines
        .into_iter()
        .map(|line| (line[0].clone(), line))
        .collect()
}

fn all_levels(sizes: &[usize]) -> Vec<Vec<usize>> {
    sizes.iter().fold(vec![Vec::new()], |nodes, &size| {
        let extended = |node: &Vec<usize>| {
            let node = node.clone();
            (0..size).map(move |level| [&node[..], &[level]].concat())
        };
        nodes.iter().flat_map(extended).collect()
    })
}

fn evaluate(
    Case {
        table,
        population,
        plan,
    }: &Case,
    hierarchies: &[(String, HashMap<String, Vec<String>>)],
    levels: &[usize],
) -> Node {
    let recoded = |table: &Table| -> Vec<Vec<String>> {
        let row = |row: usize| {
            let columns = hierarchies.iter().zip(levels);
            let cells = columns.map(|((name, lines), &level)| {
                let column = table.column_index(name).unwrap();
                lines[table.value(row, column)][level].clone()
            });
            cells.collect()
        };
        (0..table.rows()).map(row).collect()
    };
    let rows = recoded(table);
    let people = population.as_ref().map(recoded);
    let mut classes: BTreeMap<&[String], Vec<usize>> = BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        classes.entry(row).or_default().push(number);
    }
    let count = |class: &[String], rows: usize| match &people {
        Some(people) => people.iter().filter(|row| row[..] == *class).count(),
        None => rows,
    };
    classes.retain(|class, rows| {
        let people = count(class, rows.len());
        let low = |limit: &RiskLimit| {
            let of = match limit.attacker {
                Attacker::Prosecutor => rows.len(),
                _ => people,
            };
            limit.figure == Figure::Average || 1.0 / of as f64 <= limit.at_most
        };
        rows.len() >= plan.privacy.k
            && plan.privacy.risks.iter().all(low)
            && meets(table, plan, rows)
    });
    // The least people first, then the least rows, then whoever comes last in the table.
    let mut order: Vec<(usize, usize, Reverse<usize>, &[String])> = classes
        .iter()
        .map(|(class, rows)| {
            (
                count(class, rows.len()),
                rows.len(),
                Reverse(rows[0]),
                *class,
            )
        })
        .collect();
    order.sort();
    while let Some((_, _, _, smallest)) = order.first() {
        let rows: f64 = order.iter().map(|class| class.1 as f64).sum();
        let people: f64 = order.iter().map(|class| class.0 as f64).sum();
        let found: f64 = order
            .iter()
            .map(|class| class.1 as f64 / class.0 as f64)
            .sum();
        let low = |limit: &RiskLimit| {
            let marketer = found / rows;
            let risk = match limit.attacker {
                Attacker::Prosecutor => order.len() as f64 / rows,
                Attacker::Journalist => marketer.max(order.len() as f64 / people),
                Attacker::Marketer => marketer,
            };
            limit.figure == Figure::Highest || risk <= limit.at_most + 1e-12
        };
        if plan.privacy.risks.iter().all(low) {
            break;
        }
        classes.remove(smallest);
        order.remove(0);
    }
    let is_kept = |row: &Vec<String>| classes.contains_key(&row[..]);
    let suppressed = rows.iter().filter(|row| !is_kept(row)).count();
    let squares: usize = classes.values().map(|rows| rows.len().pow(2)).sum();
    let levels_sum: usize = levels.iter().sum();
    let columns = || hierarchies.iter().zip(levels).enumerate();
    let loss = |position: usize, lines: &HashMap<String, Vec<String>>, level: usize| {
        let leaves = |label: &str| lines.values().filter(|line| line[level] == label).count();
        let weight = |row: &Vec<String>| match is_kept(row) {
            true => leaves(&row[position]),
            false => lines.len(),
        };
        let weight: usize = rows.iter().map(weight).sum();
        let (least, most) = (rows.len(), rows.len() * lines.len());
        let loss = (weight - least) as f64 / (most - least).max(1) as f64;
        (loss * 1e10).floor() / 1e10 + 1.0
    };
    let entropy = |position: usize, name: &str| {
        let column = table.column_index(name).unwrap();
        let whole = |row: usize| table.value(row, column);
        let times =
            |of: &dyn Fn(usize) -> bool| (0..rows.len()).filter(|&row| of(row)).count() as f64;
        let (mut lost, mut all) = (0.0, 0.0);
        for (number, row) in rows.iter().enumerate() {
            let own = times(&|other| whole(other) == whole(number));
            let group = times(&|other| rows[other][position] == row[position]);
            let every = (rows.len() as f64 / own).log2();
            all += every;
            lost += if is_kept(row) {
                (group / own).log2()
            } else {
                every
            };
        }
        if all == 0.0 { 0.0 } else { lost / all }
    };
    let cost = match plan.privacy.metric {
        Metric::Loss => columns()
            .map(|(position, ((_, lines), &level))| loss(position, lines, level))
            .product(),
        Metric::NonUniformEntropy => {
            let each = columns().map(|(position, ((name, _), _))| entropy(position, name));
            each.sum::<f64>() / levels.len() as f64
        }
        Metric::Discernibility => (squares + suppressed * rows.len()) as f64,
        Metric::AverageClassSize => {
            let classes = classes.len() + usize::from(suppressed > 0);
            rows.len() as f64 / classes as f64
        }
        Metric::Height => levels_sum as f64,
    };
    (cost, levels_sum, levels.to_vec(), suppressed, classes.len())
}

/// Whether these rows meet every model of every column, by the models' definitions.
fn meets(table: &Table, plan: &Plan, rows: &[usize]) -> bool {
    plan.columns.iter().all(|declared| {
        let column = table.column_index(&declared.name).unwrap();
        let all: Vec<usize> = (0..table.rows()).collect();
        let [whole, class] = [&all[..], rows].map(|rows| shares(table, column, rows));
        let meets = |model: &Model| meets_model(*model, declared, &whole, &class, rows.len());
        declared.models.iter().all(meets)
    })
}

/// Share of each value.
fn shares(table: &Table, column: usize, rows: &[usize]) -> BTreeMap<String, f64> {
    let mut shares = BTreeMap::new();
    for &row in rows {
        *shares
            .entry(table.value(row, column).to_owned())
            .or_default() += 1.0 / rows.len() as f64;
    }
    shares
}

fn meets_model(
    model: Model,
    declared: &ColumnPlan,
    whole: &BTreeMap<String, f64>,
    class: &BTreeMap<String, f64>,
    rows: usize,
) -> bool {
    let of = |value: &str| class.get(value).copied().unwrap_or(0.0);
    match model {
        Model::DistinctLDiversity { l } => class.len() >= l,
        Model::EntropyLDiversity { l } => {
            let entropy: f64 = class.values().map(|share| -share * share.ln()).sum();
            entropy >= l.ln() - 1e-12
        }
        Model::RecursiveLDiversity { c, l } => {
            let counts = class.values().map(|share| (share * rows as f64).round());
            let mut counts: Vec<f64> = counts.collect();
            counts.sort_by(|one, other| other.total_cmp(one));
            counts[0] < c * counts.iter().skip(l - 1).sum::<f64>()
        }
        Model::DeltaDisclosure { delta, every_value } => whole
            .iter()
            .filter(|(value, _)| every_value || of(value) > 0.0)
            .all(|(value, share)| (of(value) / share).log2().abs() < delta),
        Model::TCloseness { t, distance } => {
            // The least cost of a flow that evens out: here of a line, of a star, or of a tree of two levels.
            let extra: Vec<(&str, f64)> = whole
                .iter()
                .map(|(value, share)| (&**value, of(value) - share))
                .collect();
            let star = |extra: &mut dyn Iterator<Item = f64>| -> f64 {
                extra.map(f64::abs).sum::<f64>() / 2.0
            };
            let cost = match distance {
                Distance::Equal => star(&mut extra.iter().map(|(_, extra)| *extra)),
                Distance::Ordered => {
                    let sums = (1..extra.len()).map(|end| {
                        extra[..end]
                            .iter()
                            .map(|(_, extra)| extra)
                            .sum::<f64>()
                            .abs()
                    });
                    sums.sum::<f64>() / (extra.len().max(2) - 1) as f64
                }
                Distance::Hierarchical => {
                    let lines = lines(declared.hierarchy.as_ref().unwrap());
                    let mut groups: BTreeMap<&str, f64> = BTreeMap::new();
                    for (value, extra) in &extra {
                        *groups.entry(&lines[*value][1]).or_default() += extra;
                    }
                    // What crosses from group to group goes up two levels of two, all else one.
                    let across = star(&mut groups.into_values());
                    let all = star(&mut extra.iter().map(|(_, extra)| *extra));
                    across + (all - across) / 2.0
                }
            };
            cost <= t
        }
    }
}

type Hierarchies = Vec<(String, HashMap<String, Vec<String>>)>;

fn hierarchies(plan: &Plan) -> (Hierarchies, Vec<usize>) {
    let columns = plan.columns.iter();
    let columns = columns.filter(|column| column.role == Role::QuasiIdentifier);
    let columns = columns.map(|column| {
        let hierarchy = column.hierarchy.as_ref().unwrap();
        ((column.name.clone(), lines(hierarchy)), hierarchy.levels())
    });
    columns.unzip()
}

fn best(case: &Case) -> Option<Node> {
    let (hierarchies, sizes) = hierarchies(&case.plan);
    let limit = case.plan.privacy.suppression_limit * case.table.rows() as f64;
    all_levels(&sizes)
        .iter()
        .map(|levels| evaluate(case, &hierarchies, levels))
        .filter(|node| node.3 <= limit.floor() as usize)
        .min_by(|one, other| one.partial_cmp(other).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_search_finds_what_enumeration_finds(case in case()) {
        let Case { table, population, plan } = &case;
        let release = anonymise_within(table, population.as_ref(), plan, &[1; 32]);
        let (hierarchies, _) = hierarchies(plan);
        match (best(&case), release) {
            (Some(best), Ok(release)) => {
                let (report, metric) = (release.report, plan.privacy.metric);
                let chosen: Vec<usize> = report.levels.iter().map(|(_, level, _)| *level).collect();
                let found = evaluate(&case, &hierarchies, &chosen);
                prop_assert_eq!((report.suppressed, report.classes), (found.3, found.4));
                if metric == Metric::NonUniformEntropy {
                    // In units of 2^-20 bits: nodes that differ by less are the same.
                    prop_assert!((found.0 - best.0).abs() < 1e-5, "{found:?} {best:?}");
                    prop_assert!((report.score - found.0).abs() < 1e-5);
                } else {
                    prop_assert_eq!(&found, &best);
                    let score = match metric {
                        Metric::Loss => best.0.powf(1.0 / chosen.len() as f64) - 1.0,
                        _ => best.0,
                    };
                    prop_assert!((report.score - score).abs() < 1e-12);
                }
                let mut as_loss = case.clone();
                as_loss.plan.privacy.metric = Metric::Loss;
                let loss = evaluate(&as_loss, &hierarchies, &chosen).0;
                prop_assert!((report.loss - (loss.powf(1.0 / chosen.len() as f64) - 1.0)).abs() < 1e-12);
                prop_assert!(report.nodes_checked <= report.nodes_in_lattice);
            }
            (None, Err(AnonymiseError::OutOfReach { .. })) => {}
            (expected, found) => prop_assert!(false, "expected {expected:?}, found {found:?}"),
        }
    }
}

/// A value that is rare in one class and lacking in another is rarer in both together: with nothing to be suppressed a node may break
/// δ-disclosure where one below it keeps it.
#[test]
fn a_class_that_discloses_too_much_may_be_merged_of_some_that_do_not() {
    let rows = ["0,a,x", "0,b,y", "1,a,y"].iter().zip([15, 1, 15]);
    let rows = rows.flat_map(|(row, times)| std::iter::repeat_n(*row, times));
    let rows: Vec<&str> = ["q0,q1,s"].into_iter().chain(rows).collect();
    let table = Table::from_csv(rows.join("\n").as_bytes(), b',').unwrap();
    let numbers = Hierarchy::from_csv(b"0\n1\n", b';').unwrap();
    let letters = Hierarchy::from_csv(b"a;*\nb;*\n", b';').unwrap();
    let quasi = |name: &str, hierarchy| {
        ColumnPlan::new(name, Role::QuasiIdentifier).generalised_by(hierarchy)
    };
    let model = |every_value| Model::DeltaDisclosure {
        delta: 1.5,
        every_value,
    };
    let released = |every_value| {
        let sensitive = ColumnPlan {
            models: vec![model(every_value)],
            ..ColumnPlan::new("s", Role::Sensitive)
        };
        let columns = vec![
            quasi("q0", numbers.clone()),
            quasi("q1", letters.clone()),
            sensitive,
        ];
        let privacy = Privacy {
            k: 1,
            suppression_limit: 0.0,
            ..Privacy::default()
        };
        anonymise_within(&table, None, &Plan { columns, privacy }, &[1; 32])
    };
    let report = released(false).unwrap().report;
    assert_eq!((report.suppressed, report.classes), (0, 3));
    released(true).unwrap_err();
}
