//! Whether a class meets a model, and what that says of its parts.

/// What a model says of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) accepts: bool,
    /// However the class is divided into parts, those that are not accepted have at least so many rows.
    pub(crate) rejected_of_parts: u64,
}

/// More than floating point is off, in shares.
const ROUNDING: f64 = 1e-9;
/// What a class is beyond what is accepted by no more than this is floating point's.
const SMALLEST: f64 = 1e-12;

impl Verdict {
    /// Of a class of so many rows, by a measure of which a class has no more than the mean of its parts, each weighed by its rows: a
    /// distance is convex, and an entropy concave. `excess` is by how much the class is beyond what is accepted, and `most` by how much
    /// a part can be. With `r` rows in parts that are not accepted, `rows · excess ≤ r · most`.
    pub(super) fn of_means(rows: u64, excess: f64, most: f64) -> Self {
        // A class of l values, all alike frequent, has an entropy of log l, and floating point comes out short of it for l = 15.
        let accepts = excess <= SMALLEST;
        let share = if excess > ROUNDING && most > ROUNDING {
            (excess - ROUNDING) / most
        } else {
            0.0
        };
        let least = (rows as f64 * (share - ROUNDING)).ceil().max(0.0);
        Self {
            accepts,
            rejected_of_parts: rows.min(least as u64),
        }
    }
}
