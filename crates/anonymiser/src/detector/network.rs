//! Numbers of machines on a network.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::text::{Pattern, pattern, places, stands_alone};

/// The shortest IPv6 address taken: `::1` and its like name nobody.
const MIN_V6_BYTES: usize = 5;

/// Addresses of IPv4, and of IPv6.
pub(super) fn ip_addresses(cell: &str) -> Vec<Range<usize>> {
    static V4: Pattern = Pattern::new(|| pattern(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"));
    static V6: Pattern = Pattern::new(|| pattern(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*"));
    let mut found = Vec::new();
    if cell.matches('.').nth(2).is_some() {
        found.extend(places(&V4, cell).filter(|place| {
            cell[place.clone()].parse::<Ipv4Addr>().is_ok() && stands_alone(cell, place, ".-")
        }));
    }
    if cell.matches(':').nth(1).is_some() {
        found.extend(places(&V6, cell).filter_map(|place| {
            let text = cell[place.clone()].trim_end_matches('.');
            // A colon behind it is the text's.
            let text = if text.ends_with("::") {
                text
            } else {
                text.trim_end_matches(':')
            };
            let place = place.start..place.start + text.len();
            let is_address = text.len() >= MIN_V6_BYTES && text.parse::<Ipv6Addr>().is_ok();
            (is_address && stands_alone(cell, &place, "")).then_some(place)
        }));
    }
    found
}

/// EUI-48 and EUI-64, in pairs.
pub(super) fn mac_addresses(cell: &str) -> Vec<Range<usize>> {
    static MAC: Pattern = Pattern::new(|| {
        pattern(
            r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}(?:(?::[0-9A-Fa-f]{2}){2})?|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}(?:(?:-[0-9A-Fa-f]{2}){2})?",
        )
    });
    if cell.matches([':', '-']).nth(4).is_none() {
        return Vec::new();
    }
    places(&MAC, cell)
        .filter(|place| stands_alone(cell, place, ":-"))
        .collect()
}
