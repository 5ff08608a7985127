//! Texts cut or masked character by character.

use serde::{Deserialize, Serialize};

/// An end of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Where reading begins.
    Left,
    /// Where reading ends.
    #[default]
    Right,
}

/// How many levels between the value and `*` it takes to mask texts of this length.
pub(super) fn mask_levels(longest: usize, step: usize) -> usize {
    longest.div_ceil(step).saturating_sub(1)
}

/// Masks `step` more characters on each level, as if the text were as long as the longest one: of `12345` and `67` the first levels
/// are `1234*` and `67*`, the third ones `12***` and `67***`.
///
/// So a text that is shorter is masked later: what is compared with each other at a level are the same places. The number of
/// stars is the level's, and does not tell how long a text is.
pub(super) fn masked(text: &str, longest: usize, step: usize, from: End) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    (1..=mask_levels(longest, step))
        .map(|level| {
            let hidden = level * step;
            let shown = characters.len().min(longest - hidden);
            let stars = "*".repeat(hidden);
            match from {
                End::Right => characters[..shown].iter().collect::<String>() + &stars,
                End::Left => {
                    stars
                        + &characters[characters.len() - shown..]
                            .iter()
                            .collect::<String>()
                }
            }
        })
        .collect()
}

/// What is wrong with the lengths of prefixes, if anything.
pub(super) fn fault_of_lengths(lengths: &[usize]) -> Option<&'static str> {
    let falls = lengths.windows(2).all(|pair| pair[0] > pair[1]);
    let is_good = falls && lengths.last().is_some_and(|&last| last > 0);
    (!is_good).then_some(
        "prefixes have one length at least, each shorter than the one before it, and none of 0",
    )
}

/// The first characters, then `*`; of a text that is shorter all of it.
pub(super) fn prefixes(text: &str, lengths: &[usize]) -> Vec<String> {
    let prefix = |&length: &usize| text.chars().take(length).chain(['*']).collect();
    lengths.iter().map(prefix).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_masked_from_either_end() {
        assert_eq!(
            masked("12345", 5, 1, End::Right),
            ["1234*", "123**", "12***", "1****"]
        );
        assert_eq!(masked("12345", 5, 2, End::Right), ["123**", "1****"]);
        assert_eq!(masked("12345", 5, 2, End::Left), ["**345", "****5"]);
        assert_eq!(
            masked("67", 5, 1, End::Right),
            ["67*", "67**", "67***", "6****"]
        );
        assert_eq!(masked("é", 2, 1, End::Left), ["*é"]);
        assert_eq!(masked("", 0, 1, End::Right), [""; 0]);
        assert_eq!(masked("1", 1, 9, End::Right), [""; 0]);
    }

    #[test]
    fn prefixes_are_cut() {
        assert_eq!(prefixes("12345", &[3, 1]), ["123*", "1*"]);
        assert_eq!(prefixes("1", &[3, 1]), ["1*", "1*"]);
        assert_eq!(fault_of_lengths(&[4, 2, 1]), None);
        for bad in [&[][..], &[0], &[2, 2], &[1, 2], &[2, 0]] {
            assert!(fault_of_lengths(bad).is_some(), "{bad:?}");
        }
    }
}
