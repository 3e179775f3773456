//! Pages of Parquet, looked at before the library makes room for what they say is in them: few bytes may stand for very many.

use super::super::limit::{DELTA_PAGE_BYTES, DELTA_VALUES, PAGE_BYTES, PAGE_HEADER_BYTES, PARQUET_TIMES};
use super::header;
use super::thrift::walk;
use bytes::Bytes;
use parquet::arrow::arrow_reader::RowGroups;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// All columns of a file.
pub struct Pages {
    file: Arc<Checked>,
    metadata: Arc<ParquetMetaData>,
    repeats: bool,
}

impl Pages {
    /// The pages of a file; all of them may unpack to `most` bytes.
    pub fn new(file: File, metadata: Arc<ParquetMetaData>, most: u64) -> Pages {
        let mut chunks = metadata.row_groups().iter().flat_map(|g| g.columns());
        let repeats = chunks.any(|c| c.encodings().any(|e| e == Encoding::DELTA_BYTE_ARRAY));
        Pages { file: Arc::new(Checked { file, most, unpacked: AtomicU64::new(0) }), metadata, repeats }
    }

    /// Whether it says that it has texts which repeat what begins the ones before: each may be as long as its page.
    pub fn repeats(&self) -> bool {
        self.repeats
    }
}

impl RowGroups for Pages {
    fn num_rows(&self) -> usize {
        self.metadata.row_groups().iter().filter_map(|g| usize::try_from(g.num_rows()).ok()).sum()
    }

    fn column_chunks(&self, column: usize) -> Result<Box<dyn PageIterator>> {
        let Pages { file, metadata, repeats } = self;
        Ok(Box::new(OfColumn { file: Arc::clone(file), metadata: Arc::clone(metadata), repeats: *repeats, column, group: 0 }))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(self.metadata.row_groups().iter())
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }
}

/// The parts of a column, one in each row group.
struct OfColumn {
    file: Arc<Checked>,
    metadata: Arc<ParquetMetaData>,
    repeats: bool,
    column: usize,
    group: usize,
}

impl Iterator for OfColumn {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        let group = self.metadata.row_groups().get(self.group)?;
        self.group += 1;
        let chunk = group.column(self.column);
        let pages = SerializedPageReader::new(Arc::clone(&self.file), chunk, usize::try_from(group.num_rows()).unwrap_or(0), None);
        let levels = [chunk.column_descr().max_rep_level(), chunk.column_descr().max_def_level()];
        let (file, repeats) = (Arc::clone(&self.file), self.repeats);
        Some(pages.map(|pages| Box::new(Looked { pages, file, repeats, levels }) as Box<dyn PageReader>))
    }
}

impl PageIterator for OfColumn {}

/// The pages of a part of a column.
struct Looked {
    pages: SerializedPageReader<Checked>,
    file: Arc<Checked>,
    repeats: bool,
    /// How deep values are repeated, and defined, at most.
    levels: [i16; 2],
}

impl Looked {
    /// An error if a page says of its content what cannot be, or is too much.
    fn look(&self, page: &Page) -> Result<()> {
        let (bytes, values, encoding) = (page.buffer(), u64::from(page.num_values()), page.encoding());
        if page.is_dictionary_page() {
            // Each takes a byte at least.
            return if values <= bytes.len() as u64 { Ok(()) } else { Err(wrong("a page says that it has more values than it has bytes")) };
        }
        let blocks = match encoding {
            Encoding::DELTA_BINARY_PACKED | Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
            Encoding::DELTA_BYTE_ARRAY if !self.repeats => return Err(wrong("a page is written in a way that the file does not name")),
            Encoding::DELTA_BYTE_ARRAY if bytes.len() as u64 > DELTA_PAGE_BYTES => {
                return Err(too_large(bytes.len() as u64, DELTA_PAGE_BYTES));
            }
            Encoding::DELTA_BYTE_ARRAY => 2,
            _ => return Ok(()),
        };
        let mut at = self.begin(page)?;
        for _ in 0..blocks {
            let (count, end) = numbers(bytes, at, values.min(DELTA_VALUES))?;
            self.file.unpack(4 * count)?;
            at = end;
        }
        Ok(())
    }

    /// Where the values of a page begin, behind the levels.
    fn begin(&self, page: &Page) -> Result<usize> {
        match page {
            Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
                Ok((*def_levels_byte_len as usize).saturating_add(*rep_levels_byte_len as usize))
            }
            Page::DataPage { buf, def_level_encoding: Encoding::RLE, .. } if self.levels[0] == 0 => match self.levels[1] {
                0 => Ok(0),
                _ => {
                    let length = buf.first_chunk::<4>().ok_or_else(|| wrong("a page is cut off"))?;
                    Ok((u32::from_le_bytes(*length) as usize).saturating_add(4))
                }
            },
            _ => Err(wrong("a page has levels that are written in a way which is not read")),
        }
    }
}

impl Iterator for Looked {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Looked {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        page.iter().try_for_each(|page| self.look(page))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }
}

/// How many numbers are packed as differences from a place on (apache/parquet-format, Encodings.md, DELTA_BINARY_PACKED), no more than `most`, and
/// where they end.
pub fn numbers(bytes: &Bytes, at: usize, most: u64) -> Result<(u64, usize)> {
    let cut_off = || wrong("a page is cut off");
    let mut rest = bytes.get(at..).ok_or_else(cut_off)?;
    let [block, parts, count, _first] = [number(&mut rest), number(&mut rest), number(&mut rest), number(&mut rest)];
    let (Some(block), Some(parts), Some(count)) = (block, parts, count) else { return Err(cut_off()) };
    if count > most {
        return Err(wrong("a page says that it has more values than it can have"));
    }
    let is_whole = |values: &u64| values * parts == block && block.is_multiple_of(128) && values.is_multiple_of(32) && *values > 0;
    let values = block.checked_div(parts).filter(is_whole).ok_or_else(|| wrong("a page has blocks that are none"))?;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        // The least difference, then how many bits the values of each part take; those of parts beyond the last value say nothing.
        number(&mut rest).ok_or_else(cut_off)?;
        let (widths, more) = usize::try_from(parts).ok().and_then(|parts| rest.split_at_checked(parts)).ok_or_else(cut_off)?;
        let used = usize::try_from(left.div_ceil(values)).unwrap_or(usize::MAX);
        let packed = widths.iter().take(used).fold(0u64, |all, width| all.saturating_add(u64::from(*width).saturating_mul(values) / 8));
        left = left.saturating_sub(values.saturating_mul(parts));
        rest = usize::try_from(packed).ok().and_then(|packed| more.get(packed..)).ok_or_else(cut_off)?;
    }
    Ok((count, bytes.len() - rest.len()))
}

/// A number of seven bits in each byte, the lowest first.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let (byte, more) = rest.split_first()?;
        *rest = more;
        number |= u64::from(byte & 0x7F).unbounded_shl(7 * place);
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn wrong(what: &str) -> ParquetError {
    ParquetError::General(what.into())
}

fn too_large(bytes: u64, most: u64) -> ParquetError {
    wrong(&format!("a page has {bytes} bytes; at most {most} are read; write it with smaller pages, or hand it over as csv"))
}

/// A file whose headers of pages are looked at before the library reads them. That a read begins with one holds as long as no page is peeked at, which
/// the library does for lists and for rows that are passed over: neither is read.
struct Checked {
    file: File,
    /// Bytes of all pages, unpacked, at most.
    most: u64,
    /// Bytes of the pages so far, unpacked.
    unpacked: AtomicU64,
}

impl Checked {
    /// Counts bytes that something unpacks to.
    fn unpack(&self, bytes: u64) -> Result<()> {
        match self.unpacked.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > self.most {
            true => {
                Err(wrong(&format!("its pages unpack to more than {PARQUET_TIMES} times its size; if it is right, hand it over as csv")))
            }
            false => Ok(()),
        }
    }
}

impl Length for Checked {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for Checked {
    type T = BufReader<File>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        match walk(self.file.get_read(start)?, PAGE_HEADER_BYTES, header::PAGE)? {
            bytes if bytes > PAGE_BYTES => return Err(too_large(bytes, PAGE_BYTES)),
            bytes => self.unpack(bytes)?,
        }
        self.file.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.saturating_add(length as u64) > self.len() {
            return Err(ParquetError::EOF("a page is longer than the file".into()));
        }
        self.file.get_bytes(start, length)
    }
}
