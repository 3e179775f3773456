//! Pages of Parquet, looked at before the library makes room for what they say is in them: few bytes may stand for very many.

use super::super::limit::{DELTA_BYTES, DELTA_PAGE_BYTES, DELTA_VALUES, PAGE_BYTES, PAGE_HEADER_BYTES, PARQUET_TIMES};
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
    repeats: usize,
}

impl Pages {
    /// The pages of a file; all of them may unpack to `most` bytes.
    pub fn new(file: File, metadata: Arc<ParquetMetaData>, most: u64) -> Pages {
        let of_group = |g: &RowGroupMetaData| g.columns().iter().filter(|c| c.encodings().any(|e| e == Encoding::DELTA_BYTE_ARRAY)).count();
        let repeats = metadata.row_groups().iter().map(of_group).max().unwrap_or(0);
        Pages { file: Arc::new(Checked { file, most, unpacked: AtomicU64::new(0) }), metadata, repeats }
    }

    /// Rows that may be decoded at a time: fewer if columns have texts which repeat what begins the ones before, each of which may be as long as its
    /// page.
    pub fn rows_at_once(&self, usual: usize) -> usize {
        let fewer = DELTA_BYTES / DELTA_PAGE_BYTES as usize / self.repeats.max(1);
        (if self.repeats > 0 { fewer.clamp(1, usual) } else { usual }).min(self.num_rows()).max(1)
    }
}

impl RowGroups for Pages {
    fn num_rows(&self) -> usize {
        self.metadata.row_groups().iter().filter_map(|g| usize::try_from(g.num_rows()).ok()).sum()
    }

    fn column_chunks(&self, column: usize) -> Result<Box<dyn PageIterator>> {
        let Pages { file, metadata, repeats } = self;
        Ok(Box::new(OfColumn { file: Arc::clone(file), metadata: Arc::clone(metadata), repeats: *repeats > 0, column, group: 0 }))
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
        let (mut at, most) = (self.begin(page)?, values.min(DELTA_VALUES));
        for block in 1..=blocks {
            let packed = Packed::read(bytes, at, most)?;
            self.file.unpack(4 * packed.count)?;
            if block < blocks {
                at = packed.end()?;
            }
        }
        Ok(())
    }

    /// Where the values of a page begin, behind the levels.
    fn begin(&self, page: &Page) -> Result<usize> {
        match page {
            Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
                Ok((*def_levels_byte_len as usize).saturating_add(*rep_levels_byte_len as usize))
            }
            // Without levels nothing is there, whatever is said of how it is written.
            Page::DataPage { .. } if self.levels == [0, 0] => Ok(0),
            Page::DataPage { buf, def_level_encoding: Encoding::RLE, .. } if self.levels[0] == 0 => {
                let length = buf.first_chunk::<4>().ok_or_else(|| wrong("a page is cut off"))?;
                Ok((u32::from_le_bytes(*length) as usize).saturating_add(4))
            }
            #[expect(deprecated, reason = "old programs write it")]
            Page::DataPage { num_values, def_level_encoding: Encoding::BIT_PACKED, .. } if self.levels[0] == 0 => {
                let bits = 16 - self.levels[1].leading_zeros() as usize;
                Ok((*num_values as usize).saturating_mul(bits).div_ceil(8))
            }
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

/// Numbers that are packed as differences (apache/parquet-format, Encodings.md, DELTA_BINARY_PACKED).
#[derive(Debug)]
pub struct Packed<'a> {
    /// How many.
    pub count: u64,
    /// Values of a block, and parts of one.
    block: [u64; 2],
    bytes: &'a Bytes,
    /// What follows their header.
    rest: &'a [u8],
}

impl<'a> Packed<'a> {
    /// What stands at a place; no more than `most` numbers.
    pub fn read(bytes: &'a Bytes, at: usize, most: u64) -> Result<Packed<'a>> {
        let mut rest = bytes.get(at..).ok_or_else(cut_off)?;
        let [block, parts, count, first] = [(); 4].map(|()| number(&mut rest));
        let (Some(block), Some(parts), Some(count), Some(_)) = (block, parts, count, first) else { return Err(cut_off()) };
        match count > most {
            true => Err(wrong("a page says that it has more values than it can have")),
            false => Ok(Packed { count, block: [block, parts], bytes, rest }),
        }
    }

    /// Where they end.
    pub fn end(&self) -> Result<usize> {
        let (mut rest, [block, parts]) = (self.rest, self.block);
        let is_whole = |values: &u64| values * parts == block && block.is_multiple_of(128) && values.is_multiple_of(32) && *values > 0;
        let values = block.checked_div(parts).filter(is_whole).ok_or_else(|| wrong("a page has blocks that are none"))?;
        let mut left = self.count.saturating_sub(1);
        while left > 0 {
            // The least difference, then how many bits the values of each part take; those of parts beyond the last value say nothing.
            number(&mut rest).ok_or_else(cut_off)?;
            let (widths, more) = usize::try_from(parts).ok().and_then(|parts| rest.split_at_checked(parts)).ok_or_else(cut_off)?;
            let used = usize::try_from(left.div_ceil(values)).unwrap_or(usize::MAX);
            let packed = widths.iter().take(used).fold(0u64, |all, width| all.saturating_add(u64::from(*width).saturating_mul(values) / 8));
            left = left.saturating_sub(values.saturating_mul(parts));
            rest = usize::try_from(packed).ok().and_then(|packed| more.get(packed..)).ok_or_else(cut_off)?;
        }
        Ok(self.bytes.len() - rest.len())
    }
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

fn cut_off() -> ParquetError {
    wrong("a page is cut off")
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
