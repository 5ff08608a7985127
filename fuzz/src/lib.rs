//! What every decoder of `medshare-protocol` must hold to, whatever bytes it is given.

pub mod checks;
