//! medshare-anonymiser
