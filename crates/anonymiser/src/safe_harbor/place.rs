//! Places: states and larger ones may be told.

/// States, the district and territories of the United States, with their postal abbreviations (USPS Publication 28, appendix B).
const STATES: [(&str, &str); 56] = [
    ("AL", "Alabama"),
    ("AK", "Alaska"),
    ("AZ", "Arizona"),
    ("AR", "Arkansas"),
    ("CA", "California"),
    ("CO", "Colorado"),
    ("CT", "Connecticut"),
    ("DE", "Delaware"),
    ("DC", "District of Columbia"),
    ("FL", "Florida"),
    ("GA", "Georgia"),
    ("HI", "Hawaii"),
    ("ID", "Idaho"),
    ("IL", "Illinois"),
    ("IN", "Indiana"),
    ("IA", "Iowa"),
    ("KS", "Kansas"),
    ("KY", "Kentucky"),
    ("LA", "Louisiana"),
    ("ME", "Maine"),
    ("MD", "Maryland"),
    ("MA", "Massachusetts"),
    ("MI", "Michigan"),
    ("MN", "Minnesota"),
    ("MS", "Mississippi"),
    ("MO", "Missouri"),
    ("MT", "Montana"),
    ("NE", "Nebraska"),
    ("NV", "Nevada"),
    ("NH", "New Hampshire"),
    ("NJ", "New Jersey"),
    ("NM", "New Mexico"),
    ("NY", "New York"),
    ("NC", "North Carolina"),
    ("ND", "North Dakota"),
    ("OH", "Ohio"),
    ("OK", "Oklahoma"),
    ("OR", "Oregon"),
    ("PA", "Pennsylvania"),
    ("RI", "Rhode Island"),
    ("SC", "South Carolina"),
    ("SD", "South Dakota"),
    ("TN", "Tennessee"),
    ("TX", "Texas"),
    ("UT", "Utah"),
    ("VT", "Vermont"),
    ("VA", "Virginia"),
    ("WA", "Washington"),
    ("WV", "West Virginia"),
    ("WI", "Wisconsin"),
    ("WY", "Wyoming"),
    ("PR", "Puerto Rico"),
    ("GU", "Guam"),
    ("VI", "Virgin Islands"),
    ("AS", "American Samoa"),
    ("MP", "Northern Mariana Islands"),
];

/// What else a column of places may be generalised to.
const LARGER: [&str; 14] = [
    "US",
    "USA",
    "U.S.",
    "United States",
    "United States of America",
    "Northeast",
    "Midwest",
    "South",
    "West",
    "North",
    "East",
    "Europe",
    "Asia",
    "Africa",
];

/// Whether a cell names a state, or a region of several. New York and Washington pass, which are cities too: from the cell alone
/// nobody can tell.
pub(crate) fn is_state_or_larger(cell: &str) -> bool {
    let cell = cell.trim();
    STATES
        .iter()
        .any(|(short, name)| cell == *short || cell.eq_ignore_ascii_case(name))
        || LARGER.iter().any(|name| cell.eq_ignore_ascii_case(name))
}

/// Whether a cell is a city as well as a state.
pub(crate) fn is_city_as_well(cell: &str) -> bool {
    let cell = cell.trim();
    ["New York", "Washington"]
        .iter()
        .any(|name| cell.eq_ignore_ascii_case(name))
}

/// A number of degrees with decimals.
pub(crate) fn is_coordinate(cell: &str) -> bool {
    let cell = cell.trim();
    cell.contains('.')
        && cell
            .parse()
            .is_ok_and(|degrees: f64| degrees.abs() <= 180.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_pass_and_cities_do_not() {
        assert!(
            is_state_or_larger("NE")
                && is_state_or_larger("north dakota")
                && is_state_or_larger("USA")
        );
        assert!(
            !is_state_or_larger("Omaha") && !is_state_or_larger("ne") && !is_state_or_larger("")
        );
        assert!(is_coordinate("-96.678") && !is_coordinate("40") && !is_coordinate("399.5"));
    }
}
