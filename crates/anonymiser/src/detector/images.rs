//! Images that are written as text.

/// What the Base64 of JPEG, PNG, GIF, WebP (RIFF), TIFF and BMP begins with.
const STARTS: [&str; 7] = [
    "/9j/",
    "iVBORw0KGgo",
    "R0lGOD",
    "UklGR",
    "SUkqA",
    "TU0AK",
    "Qk",
];
/// What is shorter is no picture.
const MIN_BASE64_BYTES: usize = 256;

/// A `data:` address of an image, or the Base64 of one.
pub(super) fn is_image(cell: &str) -> bool {
    let cell = cell.trim();
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte);
    let start = cell.as_bytes().get(..11).unwrap_or_default();
    start.eq_ignore_ascii_case(b"data:image/")
        || (cell.len() >= MIN_BASE64_BYTES
            && STARTS.iter().any(|magic| cell.starts_with(magic))
            && cell.bytes().all(is_base64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_told_by_how_they_begin() {
        let long = "A".repeat(MIN_BASE64_BYTES);
        assert!(is_image("data:image/png;base64,iVBORw0KGgo="));
        assert!(is_image(&format!("/9j/{long}")) && is_image(&format!("iVBORw0KGgo{long}=")));
        assert!(!is_image("/9j/short") && !is_image(&long) && !is_image("data:text/plain,x"));
        assert!(!is_image(&format!("/9j/ {long}")));
    }
}
