//! The eighteen identifiers, by name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An identifier of 45 CFR §164.514(b)(2)(i), in the order of its letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SafeHarborRule {
    /// (A)
    Names,
    /// (B)
    Geography,
    /// (C)
    Dates,
    /// (D)
    TelephoneNumbers,
    /// (E)
    FaxNumbers,
    /// (F)
    EmailAddresses,
    /// (G)
    SocialSecurityNumbers,
    /// (H)
    MedicalRecordNumbers,
    /// (I)
    HealthPlanNumbers,
    /// (J)
    AccountNumbers,
    /// (K)
    LicenceNumbers,
    /// (L)
    VehicleIdentifiers,
    /// (M)
    DeviceIdentifiers,
    /// (N)
    WebAddresses,
    /// (O)
    IpAddresses,
    /// (P)
    BiometricIdentifiers,
    /// (Q)
    Photographs,
    /// (R)
    OtherUniqueIdentifiers,
}

use SafeHarborRule::{
    AccountNumbers, BiometricIdentifiers, Dates, DeviceIdentifiers, EmailAddresses, FaxNumbers,
    Geography, HealthPlanNumbers, IpAddresses, LicenceNumbers, MedicalRecordNumbers, Names,
    OtherUniqueIdentifiers, Photographs, SocialSecurityNumbers, TelephoneNumbers,
    VehicleIdentifiers, WebAddresses,
};

impl SafeHarborRule {
    /// All of them, from (A) to (R).
    pub const ALL: [Self; 18] = [
        Names,
        Geography,
        Dates,
        TelephoneNumbers,
        FaxNumbers,
        EmailAddresses,
        SocialSecurityNumbers,
        MedicalRecordNumbers,
        HealthPlanNumbers,
        AccountNumbers,
        LicenceNumbers,
        VehicleIdentifiers,
        DeviceIdentifiers,
        WebAddresses,
        IpAddresses,
        BiometricIdentifiers,
        Photographs,
        OtherUniqueIdentifiers,
    ];

    /// Its letter in §164.514(b)(2)(i), `A` to `R`.
    #[must_use]
    pub const fn letter(self) -> char {
        (b'A' + self as u8) as char
    }

    /// Its name as a plan spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Names => "names",
            Geography => "geography",
            Dates => "dates",
            TelephoneNumbers => "telephone-numbers",
            FaxNumbers => "fax-numbers",
            EmailAddresses => "email-addresses",
            SocialSecurityNumbers => "social-security-numbers",
            MedicalRecordNumbers => "medical-record-numbers",
            HealthPlanNumbers => "health-plan-numbers",
            AccountNumbers => "account-numbers",
            LicenceNumbers => "licence-numbers",
            VehicleIdentifiers => "vehicle-identifiers",
            DeviceIdentifiers => "device-identifiers",
            WebAddresses => "web-addresses",
            IpAddresses => "ip-addresses",
            BiometricIdentifiers => "biometric-identifiers",
            Photographs => "photographs",
            OtherUniqueIdentifiers => "other-unique-identifiers",
        }
    }

    /// What the regulation says, word for word (45 CFR §164.514(b)(2)(i), as of 2013).
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Names => "Names",
            Geography => {
                "All geographic subdivisions smaller than a State, including street address, city, county, precinct, zip code, and their equivalent geocodes, except for the initial three digits of a zip code if, according to the current publicly available data from the Bureau of the Census: (1) The geographic unit formed by combining all zip codes with the same three initial digits contains more than 20,000 people; and (2) The initial three digits of a zip code for all such geographic units containing 20,000 or fewer people is changed to 000"
            }
            Dates => {
                "All elements of dates (except year) for dates directly related to an individual, including birth date, admission date, discharge date, date of death; and all ages over 89 and all elements of dates (including year) indicative of such age, except that such ages and elements may be aggregated into a single category of age 90 or older"
            }
            TelephoneNumbers => "Telephone numbers",
            FaxNumbers => "Fax numbers",
            EmailAddresses => "Electronic mail addresses",
            SocialSecurityNumbers => "Social security numbers",
            MedicalRecordNumbers => "Medical record numbers",
            HealthPlanNumbers => "Health plan beneficiary numbers",
            AccountNumbers => "Account numbers",
            LicenceNumbers => "Certificate/license numbers",
            VehicleIdentifiers => {
                "Vehicle identifiers and serial numbers, including license plate numbers"
            }
            DeviceIdentifiers => "Device identifiers and serial numbers",
            WebAddresses => "Web Universal Resource Locators (URLs)",
            IpAddresses => "Internet Protocol (IP) address numbers",
            BiometricIdentifiers => "Biometric identifiers, including finger and voice prints",
            Photographs => "Full face photographic images and any comparable images",
            OtherUniqueIdentifiers => {
                "Any other unique identifying number, characteristic, or code, except as permitted by paragraph (c) of this section"
            }
        }
    }
}

impl fmt::Display for SafeHarborRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}) {}", self.letter(), self.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn letters_run_from_a_to_r_and_names_are_those_of_a_plan() {
        let letters: String = SafeHarborRule::ALL
            .iter()
            .map(|rule| rule.letter())
            .collect();
        assert_eq!(letters, "ABCDEFGHIJKLMNOPQR");
        for rule in SafeHarborRule::ALL {
            let written = serde_json::to_string(&rule).unwrap();
            assert_eq!(written, format!("\"{}\"", rule.name()));
        }
        let shown = SafeHarborRule::SocialSecurityNumbers.to_string();
        assert_eq!(shown, "(G) social-security-numbers");
    }
}
