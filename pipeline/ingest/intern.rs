//! Text to small numbers: a hash table that compares most texts by one 64-bit key, and the arena that holds the texts.

pub use crate::chunk::NULL;

/// Texts one after the other; a text is known by its place.
#[derive(Debug, Default, Clone)]
pub struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    /// Room for so many texts of the usual length of identifiers.
    pub fn with_capacity(texts: usize) -> Texts {
        Texts { bytes: Vec::with_capacity(texts * 10), ends: Vec::with_capacity(texts) }
    }

    /// The text at a place; empty if there is none.
    #[inline]
    pub fn get(&self, place: usize) -> &[u8] {
        let start = if place == 0 { 0 } else { self.ends.get(place - 1).copied().unwrap_or(usize::MAX) };
        self.ends.get(place).and_then(|&end| self.bytes.get(start..end)).unwrap_or_default()
    }

    /// Adds a text at the end.
    pub fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|i| self.get(i))
    }
}

impl<'a> FromIterator<&'a [u8]> for Texts {
    fn from_iter<T: IntoIterator<Item = &'a [u8]>>(iter: T) -> Self {
        let mut texts = Texts::default();
        iter.into_iter().for_each(|t| texts.push(t));
        texts
    }
}

/// The eight bytes at `at`, little-endian, zeros after the end.
#[inline(always)]
pub fn load8(text: &[u8], at: usize) -> u64 {
    match text.get(at..).and_then(|t| t.first_chunk::<8>()) {
        Some(eight) => u64::from_le_bytes(*eight),
        None => load_end(text, at),
    }
}

#[cold]
fn load_end(text: &[u8], at: usize) -> u64 {
    text.get(at..).unwrap_or_default().iter().take(8).rev().fold(0, |n, &b| n << 8 | u64::from(b))
}

/// The low `len` bytes of a word; `len` at most 8.
#[inline(always)]
pub fn low_bytes(word: u64, len: usize) -> u64 {
    if len >= 8 { word } else { word & ((1u64 << (len * 8)) - 1) }
}

/// The number of eight ASCII digits (first digit in the lowest byte), if they are digits.
#[inline(always)]
pub fn eight_digits(word: u64) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let digits = word.wrapping_sub(ZEROS);
    // A byte is a digit if neither it nor it plus 0x46 has its high bit set and it is at least 0x30.
    if ((word.wrapping_add(0x4646_4646_4646_4646)) | digits) & HIGH_BITS != 0 {
        return None;
    }
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    Some((low.wrapping_add(high)) >> 32)
}

/// Squeezes eight ASCII bytes into 56 bits.
#[inline(always)]
fn seven_bits(word: u64) -> u64 {
    let pairs = word & 0x007F_007F_007F_007F | (word & 0x7F00_7F00_7F00_7F00) >> 1;
    let fours = pairs & 0x0000_3FFF_0000_3FFF | (pairs & 0x3FFF_0000_3FFF_0000) >> 2;
    fours & 0x0FFF_FFFF | (fours & 0x0FFF_FFFF_0000_0000) >> 4
}

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const HASHED: u64 = 1 << 62;
const DIGITS: u64 = 1 << 63;
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

/// A word for the text at `start`, never 0 unless the text is empty. Texts with different words differ; texts with equal
/// words are equal, unless [`is_exact`] says that the word is only a hash.
#[inline(always)]
pub fn key_of(text: &[u8], start: usize, len: usize) -> u64 {
    let first = load8(text, start);
    if len <= 7 {
        return low_bytes(first, len) | (len as u64) << 56;
    }
    if len == 8 && first & HIGH_BITS == 0 {
        return seven_bits(first) | 8 << 56;
    }
    if len <= 16
        && let Some(high) = eight_digits(first)
    {
        // The rest, moved to the top of its word, with zeros before it.
        let rest = len - 8;
        let moved = if rest == 0 { 0 } else { load8(text, start + 8) << (64 - rest * 8) };
        let filled = moved | low_bytes(0x3030_3030_3030_3030, 8 - rest);
        if let Some(low) = eight_digits(filled) {
            return DIGITS | (len as u64) << 56 | (high * 100_000_000 + low);
        }
    }
    HASHED | hash(text, start, len) >> 2
}

/// Whether equal keys mean equal texts.
#[inline(always)]
pub fn is_exact(key: u64) -> bool {
    key & (DIGITS | HASHED) != HASHED
}

/// Multiplies to 128 bits and folds: each input bit reaches every output bit.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

#[inline]
fn hash(text: &[u8], start: usize, len: usize) -> u64 {
    let mut hash = ODD ^ len as u64;
    let mut at = 0;
    while at + 8 < len {
        hash = fold(hash ^ load8(text, start + at), 0xE703_7ED1_A0B4_28DB);
        at += 8;
    }
    let last = low_bytes(load8(text, start + at), len - at);
    fold(hash ^ last, 0x8EBC_6AF0_9C88_C6E3) ^ hash
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: u64,
    code: u32,
}

/// A table from texts to their places in an arena.
#[derive(Debug, Clone)]
pub struct Interner {
    slots: Vec<Slot>,
    shift: u32,
    texts: Texts,
}

impl Default for Interner {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Interner {
    /// A table that holds so many texts before it grows.
    pub fn with_capacity(texts: usize) -> Self {
        let size = (texts * 4 / 3 + 1).next_power_of_two().max(64);
        Interner { slots: vec![Slot::default(); size], shift: 64 - size.trailing_zeros(), texts: Texts::with_capacity(texts) }
    }

    /// A table of texts that differ from each other; codes are their places.
    pub fn of(texts: Texts) -> Self {
        let mut table = Self::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            let at = table.free_slot(key_of(text, 0, text.len()));
            table.slots[at] = Slot { key: key_of(text, 0, text.len()), code: place as u32 };
        }
        table.texts = texts;
        table
    }

    /// The texts, by code.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// The texts, by code, without the table.
    pub fn into_texts(self) -> Texts {
        self.texts
    }

    #[inline(always)]
    fn first_slot(&self, key: u64) -> usize {
        (fold(key, ODD) >> self.shift) as usize
    }

    fn free_slot(&self, key: u64) -> usize {
        let mut at = self.first_slot(key);
        while self.slots[at].key != 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        at
    }

    /// The code of the text at `start`, whose key is `key`.
    #[inline(always)]
    pub fn find(&self, key: u64, text: &[u8], start: usize, len: usize) -> Option<u32> {
        let mut at = self.first_slot(key);
        loop {
            let slot = self.slots[at];
            if slot.key == key && (is_exact(key) || self.texts.get(slot.code as usize) == &text[start..start + len]) {
                return (slot.code != NULL).then_some(slot.code);
            }
            if slot.key == 0 {
                return None;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// For each key its code if it is exact and lies in one of the two slots where it is looked for first, else [`NULL`]. There are no
    /// branches, so that the processor waits for many places of memory at once; the rest must be looked for by [`Interner::find`].
    pub fn find_first(&self, keys: &[u64], codes: &mut Vec<u32>) {
        codes.extend(keys.iter().map(|&key| {
            let at = self.first_slot(key);
            let (one, two) = (self.slots[at], self.slots[(at + 1) & (self.slots.len() - 1)]);
            let code = if one.key == key { one.code } else { two.code };
            let found = ((one.key == key) | (two.key == key)) & is_exact(key) & (key != 0);
            if found { code } else { NULL }
        }));
    }

    /// The code of the text at `start`, whose key is `key`; a new one if it is new.
    #[inline(always)]
    pub fn intern(&mut self, key: u64, text: &[u8], start: usize, len: usize) -> u32 {
        match self.find(key, text, start, len) {
            Some(code) => code,
            None => self.insert(key, &text[start..start + len]),
        }
    }

    /// The code of a whole text, if it is there.
    pub fn code(&self, text: &[u8]) -> Option<u32> {
        self.find(key_of(text, 0, text.len()), text, 0, text.len())
    }

    /// The code of a whole text; a new one if it is new.
    pub fn add(&mut self, text: &[u8]) -> u32 {
        self.intern(key_of(text, 0, text.len()), text, 0, text.len())
    }

    /// Makes a table of other texts from this one: `map` gives the new place of each text, or [`NULL`] where it is gone.
    pub fn recode(mut self, map: &[u32], texts: Texts) -> Interner {
        let mut there = vec![false; texts.len()];
        for slot in self.slots.iter_mut().filter(|s| s.key != 0) {
            slot.code = map.get(slot.code as usize).copied().unwrap_or(NULL);
            if let Some(there) = there.get_mut(slot.code as usize) {
                *there = true;
            }
        }
        let missing = there.iter().filter(|t| !**t).count();
        if (self.texts.len() + missing) * 8 > self.slots.len() * 7 {
            return Interner::of(texts);
        }
        for (code, text) in texts.iter().enumerate().filter(|(code, _)| !there[*code]) {
            let key = key_of(text, 0, text.len());
            let at = self.free_slot(key);
            self.slots[at] = Slot { key, code: code as u32 };
        }
        self.texts = texts;
        self
    }

    #[inline(never)]
    fn insert(&mut self, key: u64, text: &[u8]) -> u32 {
        if (self.texts.len() + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        let code = self.texts.len() as u32;
        let at = self.free_slot(key);
        self.slots[at] = Slot { key, code };
        self.texts.push(text);
        code
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); size]);
        self.shift -= 1;
        for slot in old.into_iter().filter(|s| s.key != 0) {
            let at = self.free_slot(slot.key);
            self.slots[at] = slot;
        }
    }
}
