//! Who holds an output back (SPEC §5.3).

use alloy_primitives::Address;

use crate::agent::Agent;

/// Two custodians would hold back what the other one's data is in.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the custodians {0} and {1} both hold outputs back, and each would see what the other holds: read their packages in commands of their own"
)]
pub struct TwoHolders(Address, Address);

/// The first of the packages whose usage contract holds outputs back, by its place; nothing: none does.
///
/// # Errors
/// [`TwoHolders`]; no command may be started then.
pub fn holder(agents: &[Agent]) -> Result<Option<usize>, TwoHolders> {
    let terms = agents.iter().map(|agent| {
        (
            agent.usage().environment.holds_outputs(),
            agent.header().owner,
        )
    });
    of(terms)
}

fn of(terms: impl Iterator<Item = (bool, Address)>) -> Result<Option<usize>, TwoHolders> {
    let mut first: Option<(usize, Address)> = None;
    for (place, (_, owner)) in terms.enumerate().filter(|(_, (holds, _))| *holds) {
        match first {
            None => first = Some((place, owner)),
            Some((_, other)) if other != owner => return Err(TwoHolders(other, owner)),
            Some(_) => {}
        }
    }
    Ok(first.map(|(place, _)| place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_custodian_may_hold_back_and_two_may_not() {
        let [one, two] = [1, 2].map(Address::repeat_byte);
        let holder = |terms: &[(bool, Address)]| of(terms.iter().copied());
        assert_eq!(holder(&[(false, one), (false, two)]), Ok(None));
        assert_eq!(
            holder(&[(false, one), (true, two), (true, two)]),
            Ok(Some(1))
        );
        assert_eq!(
            holder(&[(true, one), (false, two), (true, two)]),
            Err(TwoHolders(one, two))
        );
    }
}
