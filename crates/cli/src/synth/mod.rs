//! A hospital that does not exist: seeded, reproducible patients for the demo, the development network, tests and
//! benchmarks. The same seed and count give the same records on every machine; nobody real is in them.

mod conditions;
mod hierarchies;
mod hospital;
mod names;

pub use hospital::{Terms, write_hospital};

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use time::{Date, Duration, Month};

use conditions::{CONDITIONS, Condition};

/// Days of birth in the hospital's books: 1 January 1928 to 31 December 2023.
pub(crate) const BIRTHS: (i32, i32) = (1928, 2023);
/// The year the admissions fall into; the longest stays end in the next one.
pub(crate) const ADMISSION_YEAR: i32 = 2024;
/// The longest stay, days.
const MAX_STAY_DAYS: i64 = 90;

/// One patient with one stay.
#[derive(Clone, Debug, PartialEq)]
pub struct Patient {
    /// Given and family name.
    pub name: String,
    /// Eleven digits: birth date, serial number, check digits (97 minus the rest of the division by 97).
    pub national_number: String,
    /// Mobile number with country code.
    pub phone: String,
    /// Day of birth.
    pub birth_date: Date,
    /// `F` or `M`.
    pub sex: &'static str,
    /// Five digits.
    pub postcode: String,
    /// First day of the stay.
    pub admission: Date,
    /// Last day of the stay.
    pub discharge: Date,
    /// Principal diagnosis, ICD-10.
    pub icd10: &'static str,
    /// Main drug of the stay.
    pub medication: &'static str,
    /// Serum creatinine, mg/dL.
    pub creatinine: f64,
    /// Glycated haemoglobin, %.
    pub hba1c: f64,
    /// Haemoglobin, g/dL.
    pub haemoglobin: f64,
}

/// `count` patients of the hospital `seed`.
pub fn patients(seed: u64, count: usize) -> Vec<Patient> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let postcodes = postcodes(&mut random);
    (0..count)
        .map(|serial| patient(&mut random, serial, &postcodes))
        .collect()
}

/// Towns of the hospital's region with the share of its patients that live there: near ones send more.
fn postcodes(random: &mut impl Rng) -> Vec<(String, f64)> {
    hierarchies::postcodes()
        .map(|code| {
            let distance = f64::from(random.random_range(1_u32..40));
            (code, 1.0 / distance)
        })
        .collect()
}

fn patient(random: &mut impl Rng, serial: usize, postcodes: &[(String, f64)]) -> Patient {
    let condition = weighted(random, CONDITIONS, |condition| condition.weight);
    let sex = if random.random_bool(condition.female_share) {
        "F"
    } else {
        "M"
    };
    let admission = admission(random, condition);
    let birth_date = birth_date(random, condition, admission);
    let stay_days = log_normal(random, condition.stay_days, 0.6).round() as i64;
    Patient {
        name: names::name(random, sex),
        national_number: national_number(birth_date, serial),
        phone: format!("+999 4{:08}", random.random_range(0..100_000_000)),
        birth_date,
        sex,
        postcode: weighted(random, postcodes, |town| town.1).0.clone(),
        admission,
        discharge: admission + Duration::days(stay_days.clamp(0, MAX_STAY_DAYS)),
        icd10: condition.code,
        medication: condition
            .medications
            .choose(random)
            .expect("every condition has a drug"),
        creatinine: tenths(log_normal(random, condition.creatinine, 0.22).clamp(0.3, 14.0)),
        hba1c: tenths(
            normal(random, condition.hba1c, 0.5 + condition.hba1c * 0.03).clamp(4.0, 15.0),
        ),
        haemoglobin: haemoglobin(random, condition, sex),
    }
}

/// Winter brings more to the wards than summer does, and more so for lungs and hearts.
fn admission(random: &mut impl Rng, condition: &Condition) -> Date {
    let first = Date::from_calendar_date(ADMISSION_YEAR, Month::January, 1).expect("a date");
    loop {
        let day = random.random_range(0..366);
        let season = (f64::from(day) / 366.0 * std::f64::consts::TAU).cos();
        if random.random_bool(((1.0 + condition.winter * season) / 2.0).clamp(0.0, 1.0)) {
            return first + Duration::days(i64::from(day));
        }
    }
}

fn birth_date(random: &mut impl Rng, condition: &Condition, admission: Date) -> Date {
    let years = normal(random, condition.age_years, condition.age_spread).clamp(0.1, 95.0);
    let born = admission - Duration::days((years * 365.25) as i64);
    let last = Date::from_calendar_date(BIRTHS.1, Month::December, 31).expect("a date");
    let first = Date::from_calendar_date(BIRTHS.0, Month::January, 1).expect("a date");
    born.clamp(first, last)
}

/// As several countries make them: YYMMDD, a serial number, two check digits.
fn national_number(birth_date: Date, serial: usize) -> String {
    let day = birth_date.year() % 100 * 10_000
        + i32::from(u8::from(birth_date.month())) * 100
        + i32::from(birth_date.day());
    // Ten thousand serial numbers, spread so that patients of one birth date differ.
    let body = format!("{day:06}{:05}", serial % 100_000);
    let number: u64 = body.parse().expect("eleven digits");
    format!("{body}{:02}", 97 - number % 97)
}

fn haemoglobin(random: &mut impl Rng, condition: &Condition, sex: &str) -> f64 {
    let mean = if sex == "F" { 13.3 } else { 14.7 };
    tenths((normal(random, mean, 1.1) + condition.haemoglobin_shift).clamp(4.0, 20.0))
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Box and Muller (1958); one of the two values is enough here.
fn normal(random: &mut impl Rng, mean: f64, deviation: f64) -> f64 {
    let radius = (-2.0 * random.random_range(f64::MIN_POSITIVE..1.0).ln()).sqrt();
    let angle = random.random_range(0.0..std::f64::consts::TAU);
    mean + deviation * radius * angle.cos()
}

fn log_normal(random: &mut impl Rng, median: f64, deviation: f64) -> f64 {
    normal(random, median.ln(), deviation).exp()
}

fn weighted<'a, T>(random: &mut impl Rng, items: &'a [T], weight: impl Fn(&T) -> f64) -> &'a T {
    let total: f64 = items.iter().map(&weight).sum();
    let mut point = random.random_range(0.0..total);
    for item in items {
        point -= weight(item);
        if point < 0.0 {
            return item;
        }
    }
    items.last().expect("nobody draws from nothing")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;

    fn mean(values: impl Iterator<Item = f64>) -> f64 {
        let (count, sum) =
            values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
        sum / count
    }

    #[test]
    fn a_seed_gives_the_same_hospital_and_another_seed_another() {
        assert_eq!(patients(7, 500), patients(7, 500));
        assert_ne!(patients(7, 500), patients(8, 500));
        assert_eq!(patients(7, 500)[..200], patients(7, 200)[..]);
    }

    #[test]
    fn stays_end_after_they_begin_and_nobody_is_admitted_unborn() {
        for patient in patients(1, 5_000) {
            assert!(patient.admission <= patient.discharge);
            assert!(patient.birth_date <= patient.admission);
            assert_eq!(patient.admission.year(), ADMISSION_YEAR);
            assert!((BIRTHS.0..=BIRTHS.1).contains(&patient.birth_date.year()));
        }
    }

    #[test]
    fn national_numbers_are_unique_and_their_check_digits_hold() {
        let everybody = patients(1, 10_000);
        let numbers: HashSet<_> = everybody
            .iter()
            .map(|patient| &patient.national_number)
            .collect();
        assert_eq!(numbers.len(), everybody.len());
        for number in numbers {
            let (body, check) = number.split_at(number.len() - 2);
            assert_eq!(
                97 - body.parse::<u64>().unwrap() % 97,
                check.parse::<u64>().unwrap()
            );
        }
    }

    #[test]
    fn diabetics_have_more_sugar_and_kidney_patients_more_creatinine() {
        let everybody = patients(1, 10_000);
        let of = |code: &'static str| {
            let of_code = move |patient: &&Patient| patient.icd10.starts_with(code);
            everybody.iter().filter(of_code)
        };
        let sugar = mean(of("E11").map(|patient| patient.hba1c));
        let others = mean(of("I").map(|patient| patient.hba1c));
        assert!(sugar > others + 1.5, "{sugar} {others}");
        let kidneys = mean(of("N18").map(|patient| patient.creatinine));
        assert!(
            kidneys > mean(of("I").map(|patient| patient.creatinine)) + 1.0,
            "{kidneys}"
        );
    }
}
