#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

fn rule(json: &str) -> Rule {
    serde_json::from_str(json).unwrap()
}

fn lines(hierarchy: Hierarchy) -> Vec<String> {
    let lines: Vec<Vec<String>> = hierarchy.into();
    lines.iter().map(|line| line.join(";")).collect()
}

#[test]
fn each_kind_has_its_form() {
    for (json, value, line) in [
        (
            r#"{"kind":"intervals","widths":[5,10]}"#,
            "23",
            "23;20-24;20-29;*",
        ),
        (
            r#"{"kind":"intervals","widths":[0.5],"origin":0.25,"lower":-1,"upper":3.5}"#,
            "1",
            "1;[0.75, 1.25);*",
        ),
        (r#"{"kind":"mask"}"#, "123", "123;12*;1**;*"),
        (
            r#"{"kind":"mask","step":2,"from":"left"}"#,
            "123",
            "123;**3;*",
        ),
        (
            r#"{"kind":"prefix","lengths":[4,2]}"#,
            "SW1A 1AA",
            "SW1A 1AA;SW1A*;SW*;*",
        ),
        (
            r#"{"kind":"dates"}"#,
            "2020-02-03",
            "2020-02-03;2020-02;2020-Q1;2020;2020-2029;*",
        ),
        (
            r#"{"kind":"dates","levels":["day","year"]}"#,
            "2020-02-03T04:05",
            "2020-02-03T04:05;2020-02-03;2020;*",
        ),
        (
            r#"{"kind":"icd10"}"#,
            "E11.9",
            "E11.9;E11;E10-E14;E00-E90;*",
        ),
        (r#"{"kind":"icd9"}"#, "250.83", "250.83;250;240-279;*"),
        (r#"{"kind":"us-zip"}"#, "02138", "02138;02138;021**;0****;*"),
        (
            r#"{"kind":"us-zip","safe-harbor":true}"#,
            "03601",
            "03601;03601;000**;000**;*",
        ),
        (r#"{"kind":"uk-postcode"}"#, "M1 1AE", "M1 1AE;M1 1;M1;M;*"),
    ] {
        let rule = rule(json);
        assert_eq!(lines(rule.hierarchy([value]).unwrap()), [line]);
        assert_eq!(serde_json::to_string(&rule).unwrap(), json);
        assert!(!rule.to_string().is_empty());
    }
    for bad in [
        r#"{"kind":"interval","widths":[5]}"#,
        r#"{"kind":"intervals"}"#,
        r#"{"kind":"icd10","level":1}"#,
        r#"{"kind":"dates","levels":["week"]}"#,
        r#"{"kind":"mask","steps":1}"#,
    ] {
        assert!(serde_json::from_str::<Rule>(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_is_missing_stays_so_and_what_does_not_fit_is_counted() {
    let rule = rule(r#"{"kind":"intervals","widths":[10]}"#);
    assert_eq!(
        lines(rule.hierarchy(["", "7", "7"]).unwrap()),
        [";;*", "7;0-9;*"]
    );
    let error = rule.hierarchy(["1", "n/a", "2", "?", "?"]).unwrap_err();
    let expected = "numbers";
    assert_eq!(
        error,
        RuleError::Misfits {
            values: 2,
            first: 1,
            expected
        }
    );
    let is_missing = |value: &str| ["", "?"].contains(&value);
    let built = rule
        .build(&["?", "12"], Coding::default(), &is_missing)
        .unwrap();
    assert_eq!(lines(built), ["?;?;*", "12;10-19;*"]);
    // What stands for a missing value cannot be told from an interval.
    let is_missing = |value: &str| value == "0-9";
    let wide = Rule::Intervals {
        widths: vec![10.into(), 20.into()],
        origin: 0.into(),
        lower: None,
        upper: None,
    };
    let error = wide
        .build(&["0-9", "3"], Coding::default(), &is_missing)
        .unwrap_err();
    assert!(matches!(
        error,
        RuleError::Hierarchy(HierarchyError::NotMonotonic { .. })
    ));
    let empty: [&str; 0] = [];
    assert_eq!(rule.hierarchy(empty).unwrap().values(), 0);
}

#[test]
fn limits_hold() {
    let long = "x".repeat(MAX_LEVELS);
    let mask = |step| Rule::Mask {
        step,
        from: End::Right,
    };
    assert_eq!(
        mask(1).hierarchy([&long]),
        Err(HierarchyError::TooManyLevels {
            levels: MAX_LEVELS + 1
        }
        .into())
    );
    assert_eq!(
        mask(2).hierarchy([&long]).unwrap().levels(),
        MAX_LEVELS / 2 + 1
    );
    assert!(matches!(mask(0).hierarchy([""]), Err(RuleError::Fault(_))));
    let prefix = Rule::Prefix {
        lengths: vec![1, 2],
    };
    assert!(matches!(prefix.hierarchy([""]), Err(RuleError::Fault(_))));
}

/// Any rule that has no fault.
fn any_rule() -> impl Strategy<Value = Rule> {
    let from = || prop_oneof![Just(End::Left), Just(End::Right)];
    let ends = || proptest::option::of(-50..100_i32);
    prop_oneof![
        (1..20_i32, 2..4_i32, -30..30_i32, ends(), ends()).prop_map(
            |(width, factor, origin, lower, upper)| {
                Rule::Intervals {
                    widths: vec![width.into(), (width * factor).into()],
                    origin: origin.into(),
                    lower: lower.map(Number::from),
                    upper: upper.map(Number::from),
                }
            }
        ),
        (1..4_usize, from()).prop_map(|(step, from)| Rule::Mask { step, from }),
        proptest::collection::btree_set(1..8_usize, 1..4).prop_map(|lengths| Rule::Prefix {
            lengths: lengths.into_iter().rev().collect()
        }),
        Just(Rule::Dates { levels: calendar() }),
        Just(Rule::Icd10 {}),
        Just(Rule::Icd9 {}),
        any::<bool>().prop_map(|safe_harbor| Rule::UsZip { safe_harbor }),
        Just(Rule::UkPostcode {}),
    ]
    .prop_filter("its parameters mean something", |rule| {
        rule.fault().is_none()
    })
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-9]{1,3}(\\.[0-9]{1,2})?",
        "20[0-2][0-9]-0[1-9]-[0-2][1-8]",
        "20[0-2][0-9](-1[0-2])?",
        "[A-Z][0-9][0-9](\\.[0-9])?",
        "[EV]?[0-9]{2,3}(\\.[0-9])?",
        "[0-9]{5}(-[0-9]{4})?",
        "[A-Z]{1,2}[1-9] [0-9][A-Z]{2}",
        "[0-9a-c*]{0,6}",
        "\\PC{0,5}",
    ]
}

proptest! {
    /// Groups of what a rule makes never split, which building the hierarchy checks: a rule that made anything else would fail with
    /// [`HierarchyError::NotMonotonic`].
    #[test]
    fn a_rule_covers_all_that_it_accepts(rule in any_rule(), values in proptest::collection::vec(value(), 1..20)) {
        let accepted: Vec<&String> = values.iter().filter(|value| rule.hierarchy([value]).is_ok()).collect();
        if !accepted.is_empty() {
            let hierarchy = rule.hierarchy(&accepted).unwrap();
            let positions = hierarchy.positions();
            prop_assert!(accepted.iter().all(|value| positions.contains_key(value.as_str())));
            let top = hierarchy.level(hierarchy.levels() - 1);
            prop_assert_eq!(&top.labels, &["*"]);
        }
        if accepted_count(&rule, &values) < values.len() {
            prop_assert!(rule.hierarchy(&values).is_err());
        }
    }
}

fn accepted_count(rule: &Rule, values: &[String]) -> usize {
    values
        .iter()
        .filter(|value| rule.hierarchy([value]).is_ok())
        .count()
}
