//! Names of columns that say what is in them: in English, as electronic records, FHIR, OMOP, MIMIC, Synthea and people spell
//! them, and the most usual ones in German and French.

mod rules;

use super::fold::folded;
use rules::{
    AGES, COORDINATES, DIRECT, KEYS, NameRule, PERSONS, PLACES, POSTCODES, REFERENCES, SHORT_NAMES,
    SITES, YEARS,
};

/// Beginnings of names whose cells say whether or how many, and not which.
const COUNTING: [&str; 12] = [
    "has", "is", "num", "count", "n", "number", "with", "total", "was", "any", "opt", "consent",
];

/// The words of a name: `firstName2`, `first_name` and `FIRST-NAME` have two.
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn of(name: &str) -> Self {
        let mut words = vec![String::new()];
        let characters: Vec<char> = name.chars().collect();
        for (at, &character) in characters.iter().enumerate() {
            let next_is_lower = characters
                .get(at + 1)
                .is_some_and(|next| next.is_lowercase());
            let before = at.checked_sub(1).map(|before| characters[before]);
            let begins = character.is_uppercase()
                && before.is_some_and(|before| {
                    before.is_lowercase() || (before.is_uppercase() && next_is_lower)
                });
            if begins || !character.is_alphanumeric() {
                words.push(String::new());
            }
            if character.is_alphanumeric() {
                let word = words.last_mut().expect("there is a first one");
                word.extend(character.to_lowercase());
            }
        }
        words.retain(|word| !word.is_empty());
        Self(words)
    }

    /// Without a number behind the last word: `phone2`, `phone_2`.
    fn without_number(&self) -> Self {
        let mut words = self.0.clone();
        while let Some(word) = words.last_mut() {
            let end = word.trim_end_matches(|character: char| character.is_ascii_digit());
            word.truncate(end.len());
            if !word.is_empty() {
                break;
            }
            words.pop();
        }
        Self(words)
    }

    fn are(&self, rule: &NameRule) -> bool {
        let joined = self.0.concat();
        if joined.is_empty() {
            return false;
        }
        if holds(rule.whole, &joined) || holds(rule.ends, &joined) {
            return true;
        }
        let is_counting = |word: &String| COUNTING.contains(&word.as_str());
        if self.0.first().is_some_and(is_counting) {
            return false;
        }
        (1..self.0.len()).any(|start| {
            let end = self.0[start..].concat();
            holds(rule.ends, &end)
        })
    }
}

/// Whether one of `names`, without its spaces, is `joined`.
fn holds(names: &str, joined: &str) -> bool {
    let mut names = names.split(", ");
    names.any(|name| name.bytes().filter(|&byte| byte != b' ').eq(joined.bytes()))
}

/// What a name says.
pub(super) struct Said {
    words: [Words; 2],
}

impl Said {
    pub(super) fn by(name: &str) -> Self {
        let words = Words::of(&folded(name));
        let shorter = words.without_number();
        Self {
            words: [words, shorter],
        }
    }

    fn is(&self, rule: &NameRule) -> bool {
        self.words.iter().any(|words| words.are(rule))
    }

    /// What identifies by itself.
    pub(super) fn direct(&self) -> Option<&'static NameRule> {
        DIRECT.iter().find(|rule| self.is(rule))
    }

    pub(super) fn short_name(&self) -> Option<&'static NameRule> {
        self.is(&SHORT_NAMES).then_some(&SHORT_NAMES)
    }

    pub(super) fn person(&self) -> Option<&'static NameRule> {
        self.is(&PERSONS).then_some(&PERSONS)
    }

    pub(super) fn reference(&self) -> Option<&'static NameRule> {
        self.is(&REFERENCES).then_some(&REFERENCES)
    }

    pub(super) fn place(&self) -> Option<&'static NameRule> {
        self.is(&PLACES).then_some(&PLACES)
    }

    pub(super) fn site(&self) -> Option<&'static NameRule> {
        self.is(&SITES).then_some(&SITES)
    }

    pub(super) fn coordinate(&self) -> Option<&'static NameRule> {
        self.is(&COORDINATES).then_some(&COORDINATES)
    }

    pub(super) fn postcode(&self) -> Option<&'static NameRule> {
        self.is(&POSTCODES).then_some(&POSTCODES)
    }

    pub(super) fn age(&self) -> Option<&'static NameRule> {
        self.is(&AGES).then_some(&AGES)
    }

    pub(super) fn years(&self) -> Option<&'static NameRule> {
        self.is(&YEARS).then_some(&YEARS)
    }

    pub(super) fn key(&self) -> Option<&'static NameRule> {
        self.is(&KEYS).then_some(&KEYS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safe_harbor::SafeHarborRule::{self, *};

    fn direct(name: &str) -> Option<SafeHarborRule> {
        Said::by(name).direct().map(|said| said.rule)
    }

    #[test]
    fn words_of_every_spelling() {
        for name in [
            "firstName",
            "first_name",
            "FIRST-NAME",
            "First Name",
            "first.name",
            "FirstName",
        ] {
            assert_eq!(Words::of(name).0, ["first", "name"], "{name}");
        }
        assert_eq!(Words::of("patientSSN").0, ["patient", "ssn"]);
        assert_eq!(Words::of("SSNumber").0, ["ss", "number"]);
        assert!(Words::of("-_-").0.is_empty());
    }

    #[test]
    fn each_rule_that_has_names_is_found_by_them() {
        for (rule, names) in [
            (
                Names,
                &[
                    "name",
                    "First_Name",
                    "patientName",
                    "mothers_name",
                    "MAIDEN",
                    "name.family",
                    "LASTNAME",
                ][..],
            ),
            (
                Geography,
                &["ADDRESS", "addressLine1", "home_address", "street"],
            ),
            (
                Dates,
                &[
                    "birthDate",
                    "DOB",
                    "DEATHDATE",
                    "patient_date_of_birth",
                    "deceasedDateTime",
                    "birth_datetime",
                ],
            ),
            (
                TelephoneNumbers,
                &[
                    "PHONE",
                    "home-phone",
                    "phone2",
                    "telecom.value",
                    "mobileNumber",
                ],
            ),
            (FaxNumbers, &["fax", "Fax Number", "office_fax"]),
            (
                EmailAddresses,
                &["email", "e-mail", "contactEmail", "EmailAddress", "mail"],
            ),
            (
                SocialSecurityNumbers,
                &["SSN", "patient_ssn", "socialSecurityNumber", "ssn_last4"],
            ),
            (
                MedicalRecordNumbers,
                &[
                    "MRN",
                    "patient_nbr",
                    "encounter_id",
                    "person_id",
                    "subject_id",
                    "hadm_id",
                    "visit_occurrence_id",
                    "PatientID",
                ],
            ),
            (
                HealthPlanNumbers,
                &["member_id", "insuranceNumber", "MBI", "medicare_id"],
            ),
            (
                AccountNumbers,
                &["account_number", "IBAN", "creditCardNumber", "AcctNo"],
            ),
            (
                LicenceNumbers,
                &[
                    "DRIVERS",
                    "PASSPORT",
                    "drivers_license",
                    "licenseNumber",
                    "passport_no",
                ],
            ),
            (VehicleIdentifiers, &["vin", "license_plate", "numberPlate"]),
            (
                DeviceIdentifiers,
                &["deviceId", "serial-number", "imei", "UDI", "mac_address"],
            ),
            (WebAddresses, &["url", "homepage", "patient_website"]),
            (IpAddresses, &["ip", "ip_address", "clientIP"]),
            (
                BiometricIdentifiers,
                &["fingerprint", "voice_print", "irisScan"],
            ),
            (Photographs, &["photo", "Patient.photo", "faceImage"]),
            (
                OtherUniqueIdentifiers,
                &["national_number", "username", "nhsNumber"],
            ),
        ] {
            for name in names {
                assert_eq!(direct(name), Some(rule), "{name}");
            }
        }
    }

    #[test]
    fn german_and_french_names_say_the_same() {
        for (rule, names) in [
            (
                Names,
                &[
                    "Vorname",
                    "Nachname",
                    "nom",
                    "Prénom",
                    "patient_nachname",
                    "NOM_DE_FAMILLE",
                ][..],
            ),
            (
                Dates,
                &[
                    "Geburtsdatum",
                    "date_de_naissance",
                    "Sterbedatum",
                    "Date de décès",
                ],
            ),
            (
                Geography,
                &["Anschrift", "Straße", "STRASSE", "adresse", "rue"],
            ),
            (TelephoneNumbers, &["Telefonnummer", "Handy", "téléphone"]),
            (
                MedicalRecordNumbers,
                &["Patientennummer", "Fallnummer", "numero_patient", "IPP"],
            ),
            (HealthPlanNumbers, &["Versichertennummer", "KVNR"]),
            (
                SocialSecurityNumbers,
                &["numero_de_securite_sociale", "Sozialversicherungsnummer"],
            ),
        ] {
            for name in names {
                assert_eq!(direct(name), Some(rule), "{name}");
            }
        }
        assert!(Said::by("Wohnort").place().is_some() && Said::by("ville").place().is_some());
        assert!(
            Said::by("Postleitzahl").postcode().is_some()
                && Said::by("code_postal").postcode().is_some()
        );
        assert!(Said::by("Alter").age().is_some() && Said::by("âge").age().is_some());
        assert!(Said::by("years").years().is_some() && Said::by("contact").person().is_some());
        for other in [
            "Diagnose",
            "Geschlecht",
            "sexe",
            "Medikament",
            "Aufnahmegrund",
            "Labor",
            "Dosis",
            "nombre",
        ] {
            let said = Said::by(other);
            assert!(
                said.direct().is_none() && said.place().is_none() && said.age().is_none(),
                "{other}"
            );
        }
    }

    #[test]
    fn names_of_clinical_columns_say_nothing() {
        for name in [
            "drug_name",
            "test_name",
            "age",
            "race",
            "gender",
            "diag_1",
            "admission_type_id",
            "discharge_disposition_id",
            "admission_source_id",
            "payer_code",
            "num_medications",
            "number_diagnoses",
            "time_in_hospital",
            "gender_concept_id",
            "condition_concept_id",
            "icd10",
            "marital-status",
            "native-country",
            "salary-class",
            "has_email",
            "num_phones",
            "phone_type",
            "medication",
            "hba1c",
            "max_glu_serum",
            "A1Cresult",
            "CODE",
            "DESCRIPTION",
            "REASONCODE",
            "BASE_ENCOUNTER_COST",
            "ENCOUNTERCLASS",
            "state",
            "country",
            "ethnicity",
            "language",
            "stage",
            "dosage",
            "image_type",
            "ship",
            "strip",
            "recipe",
            "hotel",
            "change",
            "title",
            "observation_value",
        ] {
            let said = Said::by(name);
            assert!(said.direct().is_none() && said.place().is_none(), "{name}");
        }
        assert!(Said::by("patient_age").age().is_some() && Said::by("AgeInYears").age().is_some());
        for other in ["stage", "language", "dosage", "age_months"] {
            assert!(Said::by(other).age().is_none(), "{other}");
        }
        assert!(Said::by("hospitalCity").place().is_some() && Said::by("ZIP").postcode().is_some());
    }
}
