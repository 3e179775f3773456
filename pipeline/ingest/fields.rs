//! From records to fields: where each field begins and ends. Text without quotation marks is split by comparing 64 bytes at a time; the rest
//! is unescaped into a buffer of its own. Both give the same shape.

use super::records::{Chunk, closing_quote};
use crate::error::Error;
use memchr::{memchr, memchr_iter, memchr2, memrchr};

/// Bytes split at a time: small enough that the text stays in the first caches while each column goes over it.
const TILE: usize = 32 << 10;

/// Some records, split into fields. Field `f` of a row lies between the separators `row + f` and `row + f + 1`.
#[derive(Debug, Default)]
pub struct Tile {
    unescaped: Vec<u8>,
    escaped: bool,
    /// Whether no field begins or ends with what may have to be trimmed.
    pub clean: bool,
    separators: Vec<u32>,
    newlines: Vec<u32>,
    /// For each row, the place of the separator before its first field.
    pub rows: Vec<u32>,
    /// For each row, its line counted from the first line of the chunk.
    pub lines: Vec<u32>,
    /// Records with another number of fields than the header: (line, fields found).
    pub irregular: Vec<(u32, u32)>,
    /// The first record that seems to have swallowed others: its first line and its last.
    pub late: Option<(u32, u32)>,
}

/// Where splitting stands in a chunk.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    at: usize,
    line: u32,
}

impl Place {
    /// The start of a chunk.
    pub fn start(chunk: &Chunk) -> Place {
        Place { at: chunk.start, line: memchr_iter(b'\n', &chunk.text[..chunk.start]).count() as u32 }
    }
}

impl Tile {
    /// Splits the next records of a chunk, whose header has `columns` fields; false at its end.
    pub fn next(&mut self, chunk: &Chunk, place: &mut Place, columns: usize) -> bool {
        self.separators.clear();
        self.newlines.clear();
        self.rows.clear();
        self.lines.clear();
        self.irregular.clear();
        self.late = None;
        if place.at >= chunk.end {
            return false;
        }
        let reach = (place.at + TILE).min(chunk.end);
        let quote = if chunk.quoted { memchr(b'"', &chunk.text[place.at..reach]).map(|q| place.at + q) } else { None };
        let plain = memrchr(b'\n', &chunk.text[place.at..quote.unwrap_or(reach)]).map(|n| place.at + n + 1);
        match (plain, quote) {
            (Some(end), _) => self.split_plain(chunk, place, end, columns),
            // A record longer than a tile: take it whole.
            (None, None) if !chunk.quoted => {
                let end = memchr(b'\n', &chunk.text[reach..chunk.end]).map_or(chunk.end, |n| reach + n + 1);
                self.split_plain(chunk, place, end, columns);
            }
            _ => self.split_quoted(chunk, place, columns),
        }
        true
    }

    /// The text that [`Tile::field`] points into.
    #[inline(always)]
    pub fn text<'a>(&'a self, chunk: &'a Chunk) -> &'a [u8] {
        if self.escaped { &self.unescaped } else { &chunk.text }
    }

    /// Start and length of a field, without the blanks around it.
    #[inline(always)]
    pub fn field(&self, text: &[u8], row: u32, field: usize) -> (usize, usize) {
        self.field_of::<false>(text, row, field)
    }

    /// The same; if the tile is known to be clean, without a look at the text.
    #[inline(always)]
    pub fn field_of<const CLEAN: bool>(&self, text: &[u8], row: u32, field: usize) -> (usize, usize) {
        let at = row as usize + field;
        let (Some(&before), Some(&end)) = (self.separators.get(at), self.separators.get(at + 1)) else { return (0, 0) };
        let (start, end) = (before.wrapping_add(1) as usize, end as usize);
        if CLEAN || start >= end {
            return (start, end.wrapping_sub(start));
        }
        let plain = |at: usize| text.get(at).is_some_and(|b| (0x21..0x80).contains(b));
        if plain(start) && plain(end - 1) { (start, end - start) } else { trimmed(text, start, end) }
    }

    fn split_plain(&mut self, chunk: &Chunk, place: &mut Place, end: usize, columns: usize) {
        self.escaped = false;
        self.separators.push((place.at as u32).wrapping_sub(1));
        self.clean = index(&chunk.text, place.at, end, chunk.separator, &mut self.separators, &mut self.newlines);
        let mut row = 0;
        for i in 0..self.newlines.len() {
            let next = self.newlines[i];
            // With one column a blank line looks like a row.
            if (next - row) as usize == columns && columns > 1 {
                self.rows.push(row);
                self.lines.push(place.line + i as u32);
            } else {
                self.odd(chunk, row, next, place.line + i as u32, columns);
            }
            row = next;
        }
        place.at = end;
        place.line += self.newlines.len() as u32;
    }

    /// A record with too few or too many fields, or a blank line.
    #[cold]
    fn odd(&mut self, chunk: &Chunk, row: u32, next: u32, line: u32, columns: usize) {
        let fields = (next - row) as usize;
        let blank = fields == 1 && self.field(self.text(chunk), row, 0).1 == 0;
        if fields == columns && !blank {
            self.rows.push(row);
            self.lines.push(line);
        } else if !blank {
            self.irregular.push((line, fields as u32));
        }
    }

    /// Splits records from one that has quotation marks on, until the buffer is full.
    fn split_quoted(&mut self, chunk: &Chunk, place: &mut Place, columns: usize) {
        (self.escaped, self.clean) = (true, false);
        self.unescaped.clear();
        self.unescaped.push(0);
        self.separators.push(0);
        while place.at < chunk.end && self.unescaped.len() < TILE {
            let row = self.separators.len() as u32 - 1;
            let (line, begin) = (place.line, place.at);
            while place.at < chunk.end {
                let (end, next) = self.unescape(&chunk.text[..chunk.end], place.at, chunk.separator);
                place.line += memchr_iter(b'\n', &chunk.text[place.at..next]).count() as u32;
                place.at = next;
                self.separators.push(self.unescaped.len() as u32);
                self.unescaped.push(0);
                if end {
                    break;
                }
            }
            if place.line > line + 1 && self.late.is_none() && closes_late(&chunk.text[begin..place.at], chunk.separator, columns) {
                self.late = Some((line, place.line - 1));
            }
            self.odd(chunk, row, self.separators.len() as u32 - 1, line, columns);
        }
        self.unescaped.resize(self.unescaped.len() + super::records::PADDING, 0);
    }

    /// Copies the field at `at`; tells whether it ends the record, and where the next begins.
    fn unescape(&mut self, text: &[u8], mut at: usize, separator: u8) -> (bool, usize) {
        if text.get(at) == Some(&b'"') {
            let close = closing_quote(text, at + 1).unwrap_or(text.len());
            let mut inside = &text[at + 1..close];
            // Pairs of quotation marks stand for one.
            while let Some(pair) = memchr(b'"', inside) {
                self.unescaped.extend_from_slice(&inside[..=pair]);
                inside = inside.get(pair + 2..).unwrap_or_default();
            }
            self.unescaped.extend_from_slice(inside);
            at = close + 1;
        }
        let rest = text.get(at..).unwrap_or_default();
        let stop = memchr2(separator, b'\n', rest).unwrap_or(rest.len());
        self.unescaped.extend_from_slice(&rest[..stop]);
        (rest.get(stop) != Some(&separator), (at + stop + 1).min(text.len()))
    }
}

/// Whether a record of several lines seems to have swallowed others, because a quotation mark is missing or closed too late: behind one that closes
/// a field with line ends the field goes on, or each line within a field has as many separators as a record.
pub fn closes_late(record: &[u8], separator: u8, columns: usize) -> bool {
    let mut at = 0;
    while at < record.len() {
        if record[at] == b'"' {
            let close = closing_quote(record, at + 1).unwrap_or(record.len());
            let lines: Vec<&[u8]> = record[at + 1..close].split(|b| *b == b'\n').collect();
            let goes_on = record.get(close + 1).is_some_and(|b| *b != separator && !b.is_ascii_whitespace());
            let count = |line: &[u8]| memchr_iter(separator, line).count() + 1;
            let whole = lines.get(1..lines.len() - 1).unwrap_or_default();
            // Where it began and where it ends are a record together; one or two lines of a note may look like one by chance.
            let ends_too = count(lines[0]) + count(lines[lines.len() - 1]) == columns + 1;
            let records = columns > 2 && !whole.is_empty() && whole.iter().all(|line| count(line) == columns);
            if lines.len() > 1 && (goes_on || records && (ends_too || whole.len() > 2)) {
                return true;
            }
            at = close + 1;
        }
        let rest = record.get(at..).unwrap_or_default();
        at += memchr2(separator, b'\n', rest).unwrap_or(rest.len()) + 1;
    }
    false
}

/// The error of a file in which that is so.
pub fn late_error(name: &str, first: u64, last: u64) -> Error {
    Error::Data(format!(
        "{name}: the record that begins in line {first} goes on to line {last}, and what is between looks like records of its own: a quotation mark is \
         missing there, or is closed too late; correct it"
    ))
}

/// The fields of one record.
pub fn record(text: &[u8], separator: u8) -> Vec<String> {
    let (mut tile, mut fields, mut at) = (Tile::default(), Vec::new(), 0);
    loop {
        tile.unescaped.clear();
        let (end, next) = tile.unescape(text, at, separator);
        fields.push(String::from_utf8_lossy(&tile.unescaped).trim().to_string());
        if end {
            return fields;
        }
        at = next;
    }
}

/// Blanks are those of Unicode: spreadsheets leave no-break spaces behind.
#[cold]
fn trimmed(text: &[u8], start: usize, end: usize) -> (usize, usize) {
    let field = &text[start..end];
    match std::str::from_utf8(field) {
        Ok(field) => (start + field.len() - field.trim_start().len(), field.trim().len()),
        Err(_) => (start, field.len()),
    }
}

/// Notes the places of separators (commas, say) and line feeds, and after which separators the line feeds come.
/// Tells whether no blank, control or non-ASCII byte is next to any of them.
fn index(text: &[u8], from: usize, to: usize, comma: u8, separators: &mut Vec<u32>, newlines: &mut Vec<u32>) -> bool {
    let mut at = from;
    // The first field has a separator before it, so to speak.
    let (mut after_separator, mut odd_before, mut touching) = (1u64, 0u64, 0u64);
    while at < to {
        let Some(block) = text.get(at..).and_then(|t| t.first_chunk::<64>()) else { break };
        let Marks { mut commas, mut ends, plain } = marks(block, comma);
        if to - at < 64 {
            let inside = (1u64 << (to - at)) - 1;
            commas &= inside;
            ends &= inside;
        }
        let mut any = commas | ends;
        let odd = !(plain | any);
        touching |= odd & (any << 1 | after_separator) | any & (odd << 1 | odd_before);
        (after_separator, odd_before) = (any >> 63, odd >> 63);
        let count = separators.len() as u32;
        while ends != 0 {
            let below = any & ((ends & ends.wrapping_neg()) - 1);
            newlines.push(count + below.count_ones());
            ends &= ends - 1;
        }
        separators.reserve(64);
        while any != 0 {
            separators.push(at as u32 + any.trailing_zeros());
            any &= any - 1;
        }
        at += 64;
    }
    touching == 0
}

/// Bit masks of 64 bytes.
struct Marks {
    commas: u64,
    ends: u64,
    /// Visible ASCII.
    plain: u64,
}

/// Marks the bytes of a block.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn marks(block: &[u8; 64], comma: u8) -> Marks {
    #[target_feature(enable = "sse2")]
    fn compare(block: &[u8; 64], comma: u8) -> Marks {
        use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
        let mut marks = Marks { commas: 0, ends: 0, plain: 0 };
        let (words, _) = block.as_chunks::<8>();
        for (i, pair) in words.chunks_exact(2).enumerate() {
            let lanes = _mm_set_epi64x(i64::from_le_bytes(pair[1]), i64::from_le_bytes(pair[0]));
            marks.commas |= (_mm_movemask_epi8(_mm_cmpeq_epi8(lanes, _mm_set1_epi8(comma as i8))) as u64) << (16 * i);
            marks.ends |= (_mm_movemask_epi8(_mm_cmpeq_epi8(lanes, _mm_set1_epi8(b'\n' as i8))) as u64) << (16 * i);
            // Bytes from 0x80 on are negative here.
            marks.plain |= (_mm_movemask_epi8(_mm_cmpgt_epi8(lanes, _mm_set1_epi8(b' ' as i8))) as u64) << (16 * i);
        }
        marks
    }
    // SAFETY: every x86-64 processor has SSE2.
    unsafe { compare(block, comma) }
}

/// Marks the bytes of a block.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn marks(block: &[u8; 64], comma: u8) -> Marks {
    let mask = |marked: &dyn Fn(u8) -> bool| block.iter().rev().fold(0u64, |mask, &b| mask << 1 | u64::from(marked(b)));
    Marks { commas: mask(&|b| b == comma), ends: mask(&|b| b == b'\n'), plain: mask(&|b| (0x21..0x80).contains(&b)) }
}
