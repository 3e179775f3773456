//! Where rows stand that a check found in the lake: the lake does not keep lines, so the raw files are searched for the few that are shown.

use super::fields::record;
use super::format::encoding::Encoding;
use super::format::notes::Notes;
use super::job::Begun;
use super::records::{Chunk, record_end};
use super::source::Source;
use crate::contract::Contract;
use crate::error::Result;
use crate::lake::At;
use memchr::{memchr_iter, memmem, memrchr};

/// A row, by the texts of some of its fields; the first is searched for.
pub type Wanted = Vec<(String, String)>;

/// The first place of each row in the files of its collection; none where the files say it otherwise, such as a code in other letters.
pub fn locate(contract: &Contract, sources: &[Source], wanted: &[Wanted], chunk_bytes: usize) -> Result<Vec<Option<At>>> {
    let mut found: Vec<Option<At>> = vec![None; wanted.len()];
    for source in sources {
        let mut search: Vec<Search> = (0..wanted.len()).filter(|&i| found[i].is_none() && has_text(&wanted[i])).map(Search::new).collect();
        if search.is_empty() {
            break;
        }
        let begin = |encoding| Begun::begin(source, contract, encoding, chunk_bytes, &Notes::default());
        let begun = match begin(Encoding::Utf8)? {
            None => begin(Encoding::Windows1252)?,
            begun => begun,
        };
        let Some(Begun { mut records, mut chunk, header, separator, .. }) = begun else { continue };
        search.retain_mut(|s| s.place(&header, wanted));
        while !search.is_empty() && (chunk.start < chunk.end || records.next(&mut chunk, &source.name)?) {
            search.retain(|s| {
                found[s.row] = s.line(&chunk, separator, header.len(), &wanted[s.row]).map(|line| At { file: source.name.clone(), line });
                found[s.row].is_none()
            });
            chunk.start = chunk.end;
        }
    }
    Ok(found)
}

fn has_text(wanted: &Wanted) -> bool {
    wanted.first().is_some_and(|(_, text)| !text.is_empty())
}

/// The search for a row in a file.
struct Search {
    row: usize,
    columns: Vec<usize>,
}

impl Search {
    fn new(row: usize) -> Search {
        Search { row, columns: vec![] }
    }

    /// Finds the columns of the fields; false if the file lacks one.
    fn place(&mut self, header: &[String], wanted: &[Wanted]) -> bool {
        let column = |(field, _): &(String, String)| header.iter().position(|h| h.eq_ignore_ascii_case(field));
        self.columns = wanted[self.row].iter().filter_map(column).collect();
        self.columns.len() == wanted[self.row].len()
    }

    /// The line of the row in a chunk.
    fn line(&self, chunk: &Chunk, separator: u8, columns: usize, wanted: &Wanted) -> Option<u64> {
        let text = &chunk.text[..chunk.end];
        let mut after = chunk.start;
        for hit in memmem::find_iter(&text[chunk.start..], wanted[0].1.as_bytes()) {
            let hit = chunk.start + hit;
            if hit < after {
                continue;
            }
            let start = memrchr(b'\n', &text[chunk.start..hit]).map_or(chunk.start, |n| chunk.start + n + 1);
            let Some(end) = record_end(text, start, separator) else { continue };
            after = end;
            let fields = record(&text[start..end], separator);
            let is_it = |(column, (_, value)): (&usize, &(String, String))| fields[*column] == *value;
            if fields.len() == columns && self.columns.iter().zip(wanted).all(is_it) {
                return Some(chunk.line + memchr_iter(b'\n', &text[..start]).count() as u64);
            }
        }
        None
    }
}
