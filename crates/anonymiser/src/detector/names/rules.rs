//! The names.

use crate::safe_harbor::SafeHarborRule::{self, *};

/// What names say.
pub(in crate::detector) struct NameRule {
    pub(in crate::detector) rule: SafeHarborRule,
    pub(in crate::detector) what: &'static str,
    /// Whole names, with a space between words; a column may write them in any way.
    pub(super) whole: &'static str,
    /// What a name ends in, in whole words: `email` of `contactEmail`.
    pub(super) ends: &'static str,
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
pub(super) static DIRECT: [NameRule; 19] = [
    rule(
        Names,
        "name of a person",
        "name, names, person name, nickname, alias, initials, name given, name family, name text, \
         human name, next of kin, emergency contact, employer name, forenames, nom, noms",
        "first name, last name, middle name, surname, given name, family name, forename, maiden name, \
         birth name, legal name, preferred name, patient name, contact name, guardian name, spouse name, \
         mother name, mothers name, father name, fathers name, subscriber name, member name, \
         physician name, doctor name, nurse name, full name, maiden, vorname, nachname, familienname, \
         zuname, geburtsname, patientenname, rufname, prenom, prénom, nom de famille, nom de naissance, nom patient, \
         nom du patient",
    ),
    rule(
        SocialSecurityNumbers,
        "social security number",
        "ss number",
        "ssn, social security number, social security, social security no, ssn4, ssn last4, \
         sozialversicherungsnummer, rentenversicherungsnummer, numero de securite sociale, numéro de sécurité sociale",
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
        "pat id, pt id, hadm id, icustay id, stay id, transfer id, csn, pat enc csn id, ipp, \
         person source value, accession, study uid",
        "mrn, medical record number, medical record no, medical record, record number, record no, \
         patient id, patient nbr, patient number, patient no, patient num, patient key, patient uuid, \
         patient identifier, patient reference, subject reference, encounter reference, person id, \
         subject id, encounter id, encounter number, visit id, visit number, visit occurrence id, \
         visit detail id, condition occurrence id, procedure occurrence id, drug exposure id, \
         device exposure id, measurement id, observation id, note id, specimen id, episode id, \
         patientennummer, patienten nummer, patienten nr, patientennr, patienten id, fallnummer, fall nr, fallnr, \
         numero patient, numéro patient, numero de patient, numéro de patient, numero de dossier, \
         hospital number, chart number, case number, case id, admission id, admission number, \
         accession number, accession no, accession id, specimen number, sample number, sample id",
    ),
    rule(
        HealthPlanNumbers,
        "health plan number",
        "hicn, mbi, kvnr",
        "insurance number, insurance id, insurance no, health plan number, health plan id, member number, \
         member id, subscriber id, subscriber number, policy number, policy id, policy no, \
         beneficiary id, beneficiary number, medicare number, medicare id, medicaid number, medicaid id, \
         health card number, bene id, versichertennummer, versicherten nr, krankenversichertennummer, \
         versicherungsnummer",
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
        "mobile, telecom, telecom value, landline, handy",
        "phone, phone number, phone no, phone num, telephone, telephone number, mobile number, \
         mobile phone, cell phone, cell number, homephone, workphone, tel, telefon, telefonnummer, telefon nr, \
         handynummer, mobilnummer, téléphone, numero de telephone, numéro de téléphone",
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
        "address, addr, rue",
        "street address, address line, home address, postal address, mailing address, \
         residential address, patient address, work address, street name, house number, street, anschrift, adresse, strasse, straße, hausnummer",
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
         deceased date, deceased date time, birth month, birth day, day of birth, month of birth, geburtsdatum, geburtstag, geburtsmonat, gebdat, geb datum, sterbedatum, todesdatum, \
         date de naissance, date naissance, date de deces, date de décès",
    ),
];

/// Names of places below a state: identifiers by Safe Harbor, and quasi-identifiers to anybody else.
pub(super) static PLACES: NameRule = rule(
    Geography,
    "place smaller than a state",
    "town, village, borough, neighborhood, neighbourhood, coordinates, gps, fips, geo, geocode, ort, commune, quartier, \
     suburb, hamlet, locality, ortsteil, stadtteil, bezirk, kreis, canton, localité",
    "city, county, parish, municipality, precinct, census tract, census block, block group, \
         birth place, place of birth, fips code, county fips, geohash, home town, district name, \
         town name, geo point, census block group, district, wohnort, stadt, gemeinde, landkreis, geburtsort, ville, \
         lieu de naissance, arrondissement, township, city name, county name, municipality name, place of residence, \
     place of death, sterbeort, stadtkreis, kommune, lieu de résidence, lieu de residence, lieu de décès, lieu de deces",
);

/// Names of places of any size, or of sites of the body: whether the words in them tell a town nobody can say.
pub(super) static SITES: NameRule = rule(
    Geography,
    "place of any size",
    "location, residence, place, home, area, lieu, standort, wohnsitz, domicile",
    "region, hospital, facility, clinic, hospital name, facility name, clinic name, krankenhaus, klinik, hôpital",
);

/// … of numbers with decimals only, as they may be other things.
pub(super) static COORDINATES: NameRule = rule(
    Geography,
    "coordinate",
    "lat, lon, lng, long",
    "latitude, longitude, geo lat, geo lon, geo lng",
);

pub(super) static POSTCODES: NameRule = rule(
    Geography,
    "postcode",
    "plz, postal",
    "zip, zip code, post code, postal code, zip5, zip9, zip 4, postleitzahl, code postal",
);

pub(super) static AGES: NameRule = rule(
    Dates,
    "age over 89",
    "ages, alter, âge, alter jahre, alter in jahren",
    "age, age years, age in years, age yrs, age y, age at admission, age at diagnosis, age at death, \
         age at encounter, age at visit, age group, age band, age range, age at onset, age at event, \
         age at enrollment, lebensalter, patientenalter",
);

/// Names that are identifiers where each cell is a value of its own.
pub(super) static KEYS: NameRule = rule(
    OtherUniqueIdentifiers,
    "number of a record",
    "id, key, ids, no, nr",
    "uuid, guid, record id, row id",
);

/// Names of columns that refer to a person or an encounter, where the cells are numbers or codes.
pub(super) static REFERENCES: NameRule = rule(
    MedicalRecordNumbers,
    "record or account number",
    "patient, subject, person, encounter, beneficiary, subscriber",
    "",
);

/// First names of columns that hold names; such a word says so only where the cells look like names.
pub(super) static SHORT_NAMES: NameRule = rule(
    Names,
    "name of a person",
    "first, last, middle, given, family",
    "",
);

/// Names of columns of persons, who are called so only where the cells have two names.
pub(super) static PERSONS: NameRule = rule(
    Names,
    "name of a person",
    "patient, subject, person, contact, client, member, guardian, relative, doctor, physician, nurse, surgeon, mother, \
     father, spouse, partner, patientin, arzt, ärztin, ansprechpartner, kontakt, médecin, medecin",
    "",
);

/// Names of columns that may be ages, where no cell is more than one.
pub(super) static YEARS: NameRule = rule(
    Dates,
    "age over 89",
    "years, yrs, years old, jahre, années, annees, ans",
    "",
);
