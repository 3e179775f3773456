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
        let tables: Vec<&Texts> = tables.iter().map(Interner::texts).collect();
        let known = known.filter(|k| !k.texts().is_empty());
        let mut sorted: Vec<(u64, u32, u32)> = Vec::with_capacity(tables.iter().map(|t| t.len()).sum());
        for (thread, table) in tables.iter().enumerate() {
            sorted.extend(table.iter().enumerate().map(|(place, text)| (prefix(text), thread as u32, place as u32)));
        }
        let text = |entry: &(u64, u32, u32)| tables[entry.1 as usize].get(entry.2 as usize);
        sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| text(a).cmp(text(b))));
        let mut maps: Vec<Vec<u32>> = tables.iter().map(|t| vec![NULL; t.len()]).collect();
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

/// The first eight bytes as a number that sorts as they do.
fn prefix(text: &[u8]) -> u64 {
    load8(text, 0).swap_bytes()
}
