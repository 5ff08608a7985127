//! Codes of several columns packed into words, so that entries are compared word by word.

/// Entries that are packed at a time, so that their words stay in the processor's cache.
const BLOCK: usize = 4_096;

/// Where each column lies in the words of a key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    fields: Vec<Field>,
    words: usize,
}

/// The bits of one column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) word: usize,
    shift: u32,
    /// Bits of the column, not shifted.
    mask: u64,
}

impl Field {
    pub(crate) fn get(self, word: u64) -> u32 {
        (word >> self.shift & self.mask) as u32
    }

    pub(crate) fn put(self, code: u32) -> u64 {
        u64::from(code) << self.shift
    }

    pub(crate) fn shift(self) -> u32 {
        self.shift
    }

    /// The bits of the column in a word.
    pub(crate) fn cover(self) -> u64 {
        self.mask << self.shift
    }

    pub(crate) fn bits(self) -> u32 {
        self.mask.count_ones()
    }
}

impl Layout {
    /// For columns with so many codes each.
    pub(crate) fn of(counts: impl Iterator<Item = usize>) -> Self {
        let mut layout = Self::default();
        let mut used = u64::BITS;
        for count in counts {
            let bits = bits_for(count);
            if layout.words == 0 || used + bits > u64::BITS {
                layout.words += 1;
                used = 0;
            }
            layout.fields.push(Field {
                word: layout.words - 1,
                // A column of one code at the end of a full word has no bits: it may lie anywhere.
                shift: used.min(u64::BITS - 1),
                mask: (1 << bits) - 1,
            });
            used += bits;
        }
        layout
    }

    /// Words of a key; without columns none.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The words of the entries with these codes, block by block in their order.
    pub(crate) fn pack(&self, columns: &[&[u32]], mut take: impl FnMut(&[Vec<u64>])) {
        let entries = columns.first().map_or(0, |codes| codes.len());
        let mut words = vec![Vec::with_capacity(BLOCK.min(entries)); self.words];
        for begin in (0..entries).step_by(BLOCK) {
            let end = entries.min(begin + BLOCK);
            for word in &mut words {
                word.clear();
                word.resize(end - begin, 0);
            }
            for (field, codes) in self.fields.iter().zip(columns) {
                for (word, &code) in words[field.word].iter_mut().zip(&codes[begin..end]) {
                    *word |= field.put(code);
                }
            }
            take(&words);
        }
    }
}

/// Bits that hold `count` different numbers.
fn bits_for(count: usize) -> u32 {
    usize::BITS - count.saturating_sub(1).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bits_hold_the_count() {
        assert_eq!([1, 2, 3, 4, 5].map(bits_for), [0, 1, 2, 2, 3]);
    }

    #[test]
    fn no_column_is_split() {
        let layout = Layout::of([1 << 32, 1 << 32, 1, 2].into_iter());
        assert_eq!(layout.words(), 2);
        let words: Vec<usize> = layout.fields().iter().map(|field| field.word).collect();
        assert_eq!(words, [0, 0, 0, 1]);
    }

    proptest! {
        #[test]
        fn what_is_packed_is_there(
            counts in prop::collection::vec(1_usize..5_000_000, 1..12),
            seeds in prop::collection::vec(any::<u32>(), 1..40),
        ) {
            let code = |seed: &u32, count: &usize| (*seed as usize % count) as u32;
            let columns: Vec<Vec<u32>> =
                counts.iter().map(|count| seeds.iter().map(|seed| code(seed, count)).collect()).collect();
            let slices: Vec<&[u32]> = columns.iter().map(Vec::as_slice).collect();
            let layout = Layout::of(counts.iter().copied());
            let mut packed = 0;
            layout.pack(&slices, |words| {
                packed += words[0].len();
                for (place, seed) in seeds.iter().enumerate() {
                    for (field, count) in layout.fields().iter().zip(&counts) {
                        let word = words[field.word][place];
                        assert_eq!(field.get(word), code(seed, count));
                    }
                }
            });
            prop_assert_eq!(packed, seeds.len());
        }
    }
}
