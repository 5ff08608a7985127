//! Names of columns that say what is in them: in English, as electronic records, FHIR, OMOP, MIMIC, Synthea and people spell
//! them.

use crate::safe_harbor::SafeHarborRule::{self, *};

/// What names say.
pub(super) struct NameRule {
    pub(super) rule: SafeHarborRule,
    pub(super) what: &'static str,
    /// Whole names, with a space between words; a column may write them in any way.
    whole: &'static str,
    /// What a name ends in, in whole words: `email` of `contactEmail`.
    ends: &'static str,
}

const fn rule(
    rule: SafeHarborRule,
    what: &'static str,
    whole: &'static str,
    ends: &'static str,
) -> NameRule {
    NameRule {
        rule,
        what,
        whole,
        ends,
    }
}

/// Names of what identifies by itself.
static DIRECT: [NameRule; 19] = [
    rule(
        Names,
        "name of a person",
        "name, names, person name, nickname, alias, initials, name given, name family, name text, \
         human name, next of kin, emergency contact, employer name, forenames",
        "first name, last name, middle name, surname, given name, family name, forename, maiden name, \
         birth name, legal name, preferred name, patient name, contact name, guardian name, spouse name, \
         mother name, mothers name, father name, fathers name, subscriber name, member name, \
         physician name, doctor name, nurse name, full name, maiden",
    ),
    rule(
        SocialSecurityNumbers,
        "social security number",
        "ss number",
        "ssn, social security number, social security, social security no, ssn4, ssn last4",
    ),
    rule(
        OtherUniqueIdentifiers,
        "national number",
        "nino, aadhaar, personnummer, personal number, tax id, identifier, identifier value",
        "national number, national id, national identifier, nhs number, tax number, tin number",
    ),
    rule(
        LicenceNumbers,
        "certificate or licence number",
        "drivers",
        "passport, passport number, passport no, passport id, drivers license, driver license, \
         driving licence, driving license, drivers licence, driver licence, license number, \
         licence number, license no, licence no, certificate number, birth certificate, death certificate",
    ),
    rule(
        MedicalRecordNumbers,
        "record or account number",
        "pat id, pt id, hadm id, icustay id, stay id, transfer id, csn, pat enc csn id, \
         person source value, accession, study uid, subject, person, patient, encounter",
        "mrn, medical record number, medical record no, medical record, record number, record no, \
         patient id, patient nbr, patient number, patient no, patient num, patient key, patient uuid, \
         patient identifier, patient reference, subject reference, encounter reference, person id, \
         subject id, encounter id, encounter number, visit id, visit number, visit occurrence id, \
         visit detail id, condition occurrence id, procedure occurrence id, drug exposure id, \
         device exposure id, measurement id, observation id, note id, specimen id, episode id, \
         hospital number, chart number, case number, case id, admission id, admission number, \
         accession number, accession no, accession id, specimen number, sample number, sample id",
    ),
    rule(
        HealthPlanNumbers,
        "health plan number",
        "hicn, mbi, subscriber, beneficiary",
        "insurance number, insurance id, insurance no, health plan number, health plan id, member number, \
         member id, subscriber id, subscriber number, policy number, policy id, policy no, \
         beneficiary id, beneficiary number, medicare number, medicare id, medicaid number, medicaid id, \
         health card number, bene id",
    ),
    rule(
        AccountNumbers,
        "account number",
        "account, acct",
        "account number, account no, account num, account id, acct number, acct no, acct num, acct id, \
         iban, credit card, credit card number, card number, bank account, guarantor id",
    ),
    rule(
        TelephoneNumbers,
        "telephone number",
        "mobile, telecom, telecom value, landline",
        "phone, phone number, phone no, phone num, telephone, telephone number, mobile number, \
         mobile phone, cell phone, cell number, homephone, workphone, tel",
    ),
    rule(
        FaxNumbers,
        "fax number",
        "",
        "fax, fax number, fax no, telefax",
    ),
    rule(
        EmailAddresses,
        "electronic address",
        "mail",
        "e mail, e mail address, mail address",
    ),
    rule(
        WebAddresses,
        "web address",
        "",
        "url, web site, home page, web address, profile link",
    ),
    rule(
        IpAddresses,
        "IP address",
        "ip",
        "ip address, ip addr, ipv4, ipv6, client ip, remote ip, source ip, user ip",
    ),
    rule(
        Geography,
        "postal address",
        "address, addr",
        "street address, address line, home address, postal address, mailing address, \
         residential address, patient address, work address, street name, house number, street",
    ),
    rule(
        VehicleIdentifiers,
        "vehicle number",
        "vin",
        "license plate, licence plate, number plate, plate number, vehicle identification number, \
         vehicle id, vehicle number, vehicle registration, vin number",
    ),
    rule(
        DeviceIdentifiers,
        "device number",
        "udi, device serial",
        "device id, device identifier, device number, serial number, serial no, imei, imsi, udi carrier, \
         unique device id, unique device identifier, mac address, mac addr, device serial number, \
         implant id, pacemaker id",
    ),
    rule(
        BiometricIdentifiers,
        "biometric",
        "iris, face id, biometric, biometrics",
        "finger print, fingerprints, voice print, voice sample, iris scan, retina scan, retinal scan, \
         face embedding, biometric id, biometric hash, palm print",
    ),
    rule(
        Photographs,
        "likeness",
        "picture, selfie, mugshot",
        "photo, photograph, portrait, photo url, photo id, profile picture, face image, facial image, \
         headshot, photo data",
    ),
    rule(
        OtherUniqueIdentifiers,
        "account of a person on a system",
        "login, uid",
        "user name, user id, login name, login id, twitter, facebook id, instagram",
    ),
    rule(
        Dates,
        "date of birth or death",
        "",
        "birth date, date of birth, dob, death date, date of death, dod, birth datetime, death datetime, \
         deceased date, deceased date time, birth month, birth day, day of birth, month of birth",
    ),
];

/// Names of places below a state: identifiers by Safe Harbor, and quasi-identifiers to anybody else.
static PLACES: NameRule = rule(
    Geography,
    "place smaller than a state",
    "town, village, borough, neighborhood, neighbourhood, coordinates, gps, fips, geo, geocode",
    "city, county, parish, municipality, precinct, census tract, census block, block group, \
         birth place, place of birth, fips code, county fips, geohash, home town, district name, \
         town name, geo point, census block group, district",
);

/// … of numbers with decimals only, as they may be other things.
static COORDINATES: NameRule = rule(
    Geography,
    "coordinate",
    "lat, lon, lng, long",
    "latitude, longitude, geo lat, geo lon, geo lng",
);

static POSTCODES: NameRule = rule(
    Geography,
    "postcode",
    "plz, postal",
    "zip, zip code, post code, postal code, zip5, zip9, zip 4",
);

static AGES: NameRule = rule(
    Dates,
    "age over 89",
    "ages",
    "age, age years, age in years, age yrs, age y, age at admission, age at diagnosis, age at death, \
         age at encounter, age at visit, age group, age band, age range, age at onset, age at event, \
         age at enrollment",
);

/// Names that are identifiers where each cell is a value of its own.
static KEYS: NameRule = rule(
    OtherUniqueIdentifiers,
    "number of a record",
    "id, key, ids, no, nr",
    "uuid, guid, record id, row id",
);

/// First names of columns that hold names; such a word says so only where the cells look like names.
static SHORT_NAMES: NameRule = rule(
    Names,
    "name of a person",
    "first, last, middle, given, family",
    "",
);

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
        let words = Words::of(name);
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

    pub(super) fn place(&self) -> Option<&'static NameRule> {
        self.is(&PLACES).then_some(&PLACES)
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

    pub(super) fn key(&self) -> Option<&'static NameRule> {
        self.is(&KEYS).then_some(&KEYS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                    "PATIENT",
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
