//! The tables of texts of all threads brought together into one, in an order that does not depend on who read what.

use super::column::OWN;
use super::intern::{Interner, NULL, Texts, load8};

/// The texts of a field by code, and how each thread's codes become codes of it.
#[derive(Debug, Default)]
pub struct Dictionary<'a> {
    known: Option<&'a Texts>,
    own: Texts,
    maps: Vec<Vec<u32>>,
}

impl<'a> Dictionary<'a> {
    /// Brings the threads' tables together. Texts known before keep their codes; new ones follow, sorted as bytes.
    pub fn new(tables: &[Interner], known: Option<&'a Interner>) -> Dictionary<'a> {
        let known = known.filter(|k| !k.texts().is_empty());
        let mut maps: Vec<Vec<u32>> = tables.iter().map(|t| vec![NULL; t.texts().len()]).collect();
        let mut sorted: Vec<(u128, u32, u32)> = Vec::with_capacity(tables.first().map_or(0, |t| t.texts().len()));
        for (thread, table) in tables.iter().enumerate() {
            for (place, text) in table.texts().iter().enumerate() {
                // What the first thread has too need not be sorted again: for now its map says where to look.
                match tables.first().filter(|_| thread > 0).and_then(|first| first.code(text)) {
                    Some(there) => maps[thread][place] = there,
                    None => sorted.push((prefix(text), thread as u32, place as u32)),
                }
            }
        }
        let text = |entry: &(u128, u32, u32)| tables[entry.1 as usize].texts().get(entry.2 as usize);
        // Short texts differ in the first member if they differ.
        let rest = |entry: &(u128, u32, u32)| if entry.0 as u8 == LONG { text(entry) } else { b"" };
        sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| rest(a).cmp(rest(b))));
        let elsewhere: Vec<Vec<bool>> = maps.iter().skip(1).map(|map| map.iter().map(|code| *code != NULL).collect()).collect();
        let base = known.map_or(0, |k| k.texts().len()) as u32;
        let mut own = Texts::default();
        let mut last: Option<(&[u8], u32)> = None;
        for entry in &sorted {
            let this = text(entry);
            let code = match last {
                Some((same, code)) if same == this => code,
                _ => known.and_then(|k| k.code(this)).unwrap_or_else(|| {
                    own.push(this);
                    base + own.len() as u32 - 1
                }),
            };
            maps[entry.1 as usize][entry.2 as usize] = code;
            last = Some((this, code));
        }
        if let Some((first, others)) = maps.split_first_mut() {
            for (map, elsewhere) in others.iter_mut().zip(elsewhere) {
                let there = map.iter_mut().zip(elsewhere).filter(|(_, there)| *there);
                there.for_each(|(code, _)| *code = first[*code as usize]);
            }
        }
        Dictionary { known: known.map(Interner::texts), own, maps }
    }

    /// A dictionary of the texts of a table.
    pub fn known_only(known: &'a Interner) -> Dictionary<'a> {
        Dictionary { known: Some(known.texts()), ..Dictionary::default() }
    }

    /// Number of texts known before: codes below it are theirs.
    pub fn known(&self) -> usize {
        self.known.map_or(0, Texts::len)
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.known() + self.own.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of a code.
    #[inline]
    pub fn get(&self, code: u32) -> &[u8] {
        match self.known {
            Some(known) if (code as usize) < known.len() => known.get(code as usize),
            _ => self.own.get(code as usize - self.known()),
        }
    }

    /// What the codes of a thread's table are here.
    pub fn map(&self, thread: usize) -> &[u32] {
        self.maps.get(thread).map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds a thread's codes to `out` as codes of this dictionary.
    pub fn translate(&self, thread: usize, codes: &[u32], out: &mut Vec<u32>) {
        match self.maps.get(thread) {
            Some(map) if !map.is_empty() => {
                let own = |code: u32| map.get((code & !OWN) as usize).copied().unwrap_or(NULL);
                out.extend(codes.iter().map(|&code| if code & OWN == 0 { code } else { own(code) }));
            }
            // The thread has no texts of its own: every code is a shared one, or null.
            _ => out.extend_from_slice(codes),
        }
    }
}

/// Marks the number of a text that is longer than what the number holds.
const LONG: u8 = u8::MAX;

/// The first fifteen bytes and the length as a number that sorts as the texts do.
fn prefix(text: &[u8]) -> u128 {
    let first = u128::from(load8(text, 0).swap_bytes()) << 64 | u128::from(load8(text, 8).swap_bytes());
    first & !0xFF | u128::from(u8::try_from(text.len()).ok().filter(|len| *len <= 15).unwrap_or(LONG))
}
