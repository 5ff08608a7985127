//! Names of columns that say what is in them.

use crate::plan::Role;

/// Names that say what a column is, joined in lower case without separators.
const NAME_RULES: [(&str, &[&str]); 8] = [
    (
        "name of a person",
        &[
            "name",
            "patientname",
            "fullname",
            "firstname",
            "lastname",
            "middlename",
            "surname",
            "givenname",
            "familyname",
            "forename",
            "maidenname",
        ],
    ),
    (
        "national number",
        &[
            "ssn",
            "socialsecuritynumber",
            "nationalnumber",
            "nationalid",
            "nationalidentifier",
            "nhsnumber",
            "nino",
            "personalnumber",
            "passport",
            "passportnumber",
            "driverslicense",
            "drivinglicence",
            "licensenumber",
            "licencenumber",
        ],
    ),
    (
        "record or account number",
        &[
            "mrn",
            "medicalrecordnumber",
            "patientid",
            "patientnbr",
            "patientnumber",
            "patientno",
            "encounterid",
            "visitid",
            "insurancenumber",
            "healthplannumber",
            "accountnumber",
            "membernumber",
            "iban",
        ],
    ),
    (
        "telephone number",
        &[
            "phone",
            "phonenumber",
            "telephone",
            "telephonenumber",
            "mobile",
            "fax",
            "faxnumber",
        ],
    ),
    (
        "electronic address",
        &[
            "email",
            "emailaddress",
            "mail",
            "url",
            "website",
            "homepage",
            "ip",
            "ipaddress",
            "macaddress",
        ],
    ),
    (
        "postal address",
        &[
            "address",
            "street",
            "streetaddress",
            "addressline1",
            "addressline2",
            "housenumber",
        ],
    ),
    (
        "device or vehicle number",
        &[
            "vin",
            "licenseplate",
            "numberplate",
            "deviceid",
            "deviceserialnumber",
            "serialnumber",
            "imei",
        ],
    ),
    (
        "likeness or biometric",
        &[
            "photo",
            "photograph",
            "portrait",
            "fingerprint",
            "voiceprint",
            "faceid",
            "iris",
        ],
    ),
];

const BIRTH_DATE_NAMES: [&str; 5] = ["birthdate", "dateofbirth", "dob", "birthday", "deathdate"];

/// The rule that the name of a column falls under.
pub(super) fn rule_of_name(name: &str, role: Option<Role>) -> Option<&'static str> {
    let joined: String = name
        .chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    // A birth date that is declared a quasi-identifier is generalised with the others.
    if role != Some(Role::QuasiIdentifier) && BIRTH_DATE_NAMES.contains(&&*joined) {
        return Some("date of birth or death");
    }
    let names_it = |names: &[&str]| names.contains(&&*joined);
    NAME_RULES
        .iter()
        .find(|(_, names)| names_it(names))
        .map(|&(rule, _)| rule)
}
