//! What an audit keeps of each thread and each package: the first ones in memory, the others in a temporary file, so that a
//! ledger of many packages needs as little memory as one of many blocks.
//!
//! A place in the file is of one length for all, and is used again. What is longer stays in memory: a chain has to have
//! hundreds of blocks, or a package many open violations, for that. The file has no name and is gone with the audit. Not a
//! database: nothing in it is ever looked for, and nothing outlives the process.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::AuditError;

/// So many of a kind are kept in memory.
pub(super) const HELD: usize = 16_384;
/// Length of a place in the file.
const PLACE_BYTES: usize = 512;

/// Values by key.
#[derive(Debug)]
pub(super) struct Shelf<K, V> {
    /// Boxed: a map of this many large values would be a third air.
    here: BTreeMap<K, Box<V>>,
    /// At which place of the file.
    aside: BTreeMap<K, u32>,
    /// Places of the file that are free again; those from `used` on were never used.
    free: Vec<u32>,
    used: u32,
    file: Option<File>,
    held: usize,
}

impl<K: Ord + Copy, V: Clone + Serialize + DeserializeOwned> Shelf<K, V> {
    /// An empty one, that keeps `held` in memory.
    pub(super) const fn new(held: usize) -> Self {
        Self {
            here: BTreeMap::new(),
            aside: BTreeMap::new(),
            free: Vec::new(),
            used: 0,
            file: None,
            held,
        }
    }

    /// All keys, in order.
    pub(super) fn keys(&self) -> Vec<K> {
        let mut keys: Vec<K> = self.here.keys().chain(self.aside.keys()).copied().collect();
        keys.sort_unstable();
        keys
    }

    /// The first keys in order, so many at most.
    pub(super) fn first(&self, most: usize) -> Vec<K> {
        let here = self.here.keys().take(most);
        let mut keys: Vec<K> = here.chain(self.aside.keys().take(most)).copied().collect();
        keys.sort_unstable();
        keys.truncate(most);
        keys
    }

    pub(super) fn has(&self, key: &K) -> bool {
        self.here.contains_key(key) || self.aside.contains_key(key)
    }

    /// The value, which stays.
    pub(super) fn read(&self, key: &K) -> Result<Option<Cow<'_, V>>, AuditError> {
        if let Some(value) = self.here.get(key) {
            return Ok(Some(Cow::Borrowed(value)));
        }
        let place = self.aside.get(key);
        place
            .map(|place| self.fetch(*place).map(Cow::Owned))
            .transpose()
    }

    /// The value, taken out.
    pub(super) fn take(&mut self, key: &K) -> Result<Option<V>, AuditError> {
        if let Some(value) = self.here.remove(key) {
            return Ok(Some(*value));
        }
        let Some(place) = self.aside.remove(key) else {
            return Ok(None);
        };
        self.free.push(place);
        self.fetch(place).map(Some)
    }

    /// Puts in a value whose key is not there.
    pub(super) fn put(&mut self, key: K, value: V) -> Result<(), AuditError> {
        let mut bytes = [0; PLACE_BYTES];
        if self.here.len() < self.held || postcard::to_slice(&value, &mut bytes).is_err() {
            self.here.insert(key, Box::new(value));
            return Ok(());
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile().map_err(AuditError::Aside)?,
        };
        let file = self.file.insert(file);
        let place = self.free.pop().unwrap_or(self.used);
        file.write_all_at(&bytes, offset(place))
            .map_err(AuditError::Aside)?;
        self.used = self.used.max(place + 1);
        self.aside.insert(key, place);
        Ok(())
    }

    fn fetch(&self, place: u32) -> Result<V, AuditError> {
        let mut bytes = [0; PLACE_BYTES];
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound.into());
        file.and_then(|file| file.read_exact_at(&mut bytes, offset(place)))
            .map_err(AuditError::Aside)?;
        // What follows the value belongs to whatever lay there before.
        let (value, _) = postcard::take_from_bytes(&bytes)
            .map_err(|error| AuditError::Aside(io::Error::other(error)))?;
        Ok(value)
    }
}

fn offset(place: u32) -> u64 {
    u64::from(place) * PLACE_BYTES as u64
}

/// Tests go on from one state many times.
#[cfg(test)]
impl<K: Clone, V: Clone> Clone for Shelf<K, V> {
    fn clone(&self) -> Self {
        assert!(self.file.is_none(), "only what is in memory is copied");
        Self {
            here: self.here.clone(),
            aside: BTreeMap::new(),
            free: Vec::new(),
            used: 0,
            file: None,
            held: self.held,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Deed {
        Put(u8, Vec<u8>),
        Take(u8),
    }

    fn deeds() -> impl Strategy<Value = Vec<Deed>> {
        // Some fit a place, some do not.
        let value = prop::collection::vec(any::<u8>(), 0..700);
        let deed = prop_oneof![
            (0..40_u8, value).prop_map(|(key, value)| Deed::Put(key, value)),
            (0..40_u8).prop_map(Deed::Take),
        ];
        prop::collection::vec(deed, 0..200)
    }

    proptest! {
        #[test]
        fn a_shelf_is_a_map(held in 0..8_usize, deeds in deeds()) {
            let (mut shelf, mut map) = (Shelf::new(held), BTreeMap::new());
            for deed in deeds {
                match deed {
                    Deed::Put(key, value) if !map.contains_key(&key) => {
                        shelf.put(key, value.clone()).unwrap();
                        map.insert(key, value);
                    }
                    Deed::Put(key, _) | Deed::Take(key) => {
                        let read = shelf.read(&key).unwrap().map(Cow::into_owned);
                        let taken = shelf.take(&key).unwrap();
                        prop_assert_eq!(&read, &taken);
                        prop_assert_eq!(taken, map.remove(&key));
                    }
                }
                prop_assert!(shelf.keys().iter().eq(map.keys()));
                prop_assert!(shelf.first(5).iter().eq(map.keys().take(5)));
                // The file is no longer than what lies in it at once.
                prop_assert!(shelf.used as usize == shelf.aside.len() + shelf.free.len());
            }
            for key in 0..40 {
                prop_assert_eq!(shelf.has(&key), map.contains_key(&key));
            }
        }
    }

    #[test]
    fn what_cannot_be_read_again_is_an_error() {
        let mut shelf = Shelf::new(0);
        shelf.put(1, vec![7_u8; 400]).unwrap();
        shelf.file.as_ref().unwrap().set_len(3).unwrap();
        let error = shelf.take(&1).unwrap_err();
        assert!(error.to_string().contains("free space"), "{error}");
    }
}
