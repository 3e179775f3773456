//! Column chunks of Parquet, encoded and compressed by us from codes that are numbered already; the `parquet` crate writes pages, row groups
//! and footers. Whoever has codes (the lake's interned texts, dictionary arrays) need not look for distinct values again.

mod encode;

use crate::error::{Error, Result};
use bytes::Bytes;
use encode::{bits, byte_levels, delta, delta_texts, equal_run, hybrid, levels, pack_bytes, packed_run, plain_texts};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// The code of a null.
pub const NULL: u32 = u32::MAX;
/// The byte of a null.
pub const NULL_BYTE: u8 = u8::MAX;
/// The whole number that stands for a null.
pub const NULL_INT: i32 = i32::MIN;
/// The long whole number that stands for a null.
pub const NULL_LONG: i64 = i64::MIN;

/// zstd's level: the data are mostly packed already.
const LEVEL: i32 = 1;
/// Whole numbers that lie in a range of so many are written as a dictionary.
const DICTIONARY_RANGE: i64 = 1 << 16;
/// Texts longer than this get no statistics.
const LONGEST_STATISTIC: usize = 64;

/// Properties of all files we write: nothing in them depends on machine or moment.
pub fn properties() -> Result<WriterProperties> {
    let level = ZstdLevel::try_new(LEVEL).map_err(|e| Error::internal("zstd level", e))?;
    Ok(WriterProperties::builder()
        .set_created_by("perkins".to_string())
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .build())
}

/// What encoding gives, or what went wrong.
pub type Encoded<T> = std::result::Result<T, ParquetError>;
/// An encoded column chunk.
pub type Chunk = (Bytes, ColumnCloseResult);

/// The texts of codes of a byte.
pub trait ByteTexts {
    /// The text of a code that occurs.
    fn text(&self, code: u8) -> &[u8];
}

/// A chunk's pages before compression.
struct Pages<'a> {
    dictionary: Option<(&'a [u8], usize)>,
    encoding: Encoding,
    statistics: Option<Statistics>,
}

impl Pages<'_> {
    fn plain(statistics: Option<Statistics>) -> Self {
        Pages { dictionary: None, encoding: Encoding::PLAIN, statistics }
    }
}

/// Encodes and compresses; its buffers serve one chunk after the other.
pub struct Encoder {
    compressor: zstd::bulk::Compressor<'static>,
    /// Codes of the rows of the next chunk, [`NULL`] for none: filled in by the caller of [`Encoder::texts`] and the like.
    pub codes: Vec<u32>,
    bytes: Vec<u8>,
    local: Vec<u32>,
    used: Vec<u32>,
    body: Vec<u8>,
    words: Vec<u8>,
}

impl Encoder {
    /// A new one.
    pub fn new() -> Result<Encoder> {
        let compressor = zstd::bulk::Compressor::new(LEVEL).map_err(|e| Error::internal("cannot start zstd", e))?;
        Ok(Encoder {
            compressor,
            codes: Vec::new(),
            bytes: Vec::new(),
            local: Vec::new(),
            used: Vec::new(),
            body: Vec::new(),
            words: Vec::new(),
        })
    }

    /// Puts the pages of a chunk together: `self.body` is the data page.
    fn finish(&mut self, description: &ColumnDescPtr, rows: usize, pages: Pages) -> Encoded<Chunk> {
        let mut sink = TrackedWrite::new(Vec::with_capacity(self.body.len() / 2 + 256));
        let mut writer = SerializedPageWriter::new(&mut sink);
        let (mut packed, mut plain, mut dictionary_offset) = (0, 0, None);
        if let Some((words, count)) = pages.dictionary {
            let buf = self.compressor.compress(words)?.into();
            let page = Page::DictionaryPage { buf, num_values: count as u32, encoding: Encoding::PLAIN, is_sorted: false };
            let spec = writer.write_page(CompressedPage::new(page, words.len()))?;
            (packed, plain, dictionary_offset) = (spec.compressed_size, spec.uncompressed_size, Some(spec.offset as i64));
        }
        let page = Page::DataPage {
            buf: self.compressor.compress(&self.body)?.into(),
            num_values: rows as u32,
            encoding: pages.encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let spec = writer.write_page(CompressedPage::new(page, self.body.len()))?;
        packed += spec.compressed_size;
        plain += spec.uncompressed_size;
        let mut encodings = vec![Encoding::RLE, pages.encoding];
        encodings.extend(dictionary_offset.map(|_| Encoding::PLAIN));
        let mut metadata = ColumnChunkMetaData::builder(description.clone())
            .set_encodings(encodings)
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
            .set_total_compressed_size(packed as i64)
            .set_total_uncompressed_size(plain as i64)
            .set_num_values(rows as i64)
            .set_data_page_offset(spec.offset as i64)
            .set_dictionary_page_offset(dictionary_offset);
        if let Some(statistics) = pages.statistics {
            metadata = metadata.set_statistics(statistics);
        }
        let close = ColumnCloseResult {
            bytes_written: packed as u64,
            rows_written: rows as u64,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok((sink.into_inner()?.into(), close))
    }

    /// Begins a data page: the levels, if the column may have nulls.
    fn begin(&mut self, description: &ColumnDescPtr) -> usize {
        self.body.clear();
        if description.max_def_level() > 0 {
            levels(&mut self.body, &self.codes);
        }
        self.codes.iter().filter(|c| **c == NULL).count()
    }

    /// Numbers the codes that occur from 0 on, in their order; `domain` is above all codes.
    fn number_codes(&mut self, domain: usize) {
        if self.local.len() < domain {
            self.local.resize(domain, NULL);
        }
        for &used in &self.used {
            self.local[used as usize] = NULL;
        }
        self.used.clear();
        for &code in self.codes.iter().filter(|c| **c != NULL) {
            let local = &mut self.local[code as usize];
            if *local == NULL {
                *local = 0;
                self.used.push(code);
            }
        }
        self.used.sort_unstable();
        for (number, &code) in self.used.iter().enumerate() {
            self.local[code as usize] = number as u32;
        }
    }

    /// Writes the numbered codes as the indices of a dictionary page.
    fn indices(&mut self) {
        let width = bits(self.used.len().saturating_sub(1) as u32);
        self.body.push(width as u8);
        let values = self.codes.iter().filter(|c| **c != NULL).map(|c| self.local[*c as usize]);
        let count = self.codes.iter().filter(|c| **c != NULL).count();
        hybrid(&mut self.body, values, count, width);
    }

    /// A chunk of codes with a dictionary of what `word` writes for each code that occurs.
    fn coded(
        &mut self,
        description: &ColumnDescPtr,
        domain: usize,
        word: impl Fn(&mut Vec<u8>, u32),
        statistics: impl Fn(&[u32], u64) -> Option<Statistics>,
    ) -> Encoded<Chunk> {
        let nulls = self.begin(description) as u64;
        self.number_codes(domain);
        let mut words = std::mem::take(&mut self.words);
        words.clear();
        self.used.iter().for_each(|code| word(&mut words, *code));
        let dictionary = if self.used.is_empty() {
            None
        } else {
            self.indices();
            Some((words.as_slice(), self.used.len()))
        };
        let encoding = if dictionary.is_some() { Encoding::RLE_DICTIONARY } else { Encoding::PLAIN };
        let statistics = statistics(&self.used, nulls);
        let chunk = self.finish(description, self.codes.len(), Pages { dictionary, encoding, statistics });
        self.words = words;
        chunk
    }

    /// A chunk of texts by [`Encoder::codes`], which are below `domain`.
    pub fn texts<'t>(&mut self, description: &ColumnDescPtr, domain: usize, text: impl Fn(u32) -> &'t [u8]) -> Encoded<Chunk> {
        let word = |out: &mut Vec<u8>, code| plain_texts(out, std::iter::once(text(code)));
        self.coded(description, domain, word, |used, nulls| text_statistics(used.iter().map(|c| text(*c)), nulls))
    }

    /// Codes (with their texts) and booleans: a byte each until they are packed.
    pub fn bytes(&mut self, description: &ColumnDescPtr, values: &[u8], rows: &[u32], codes: Option<&dyn ByteTexts>) -> Encoded<Chunk> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        bytes.extend(rows.iter().map(|r| values[*r as usize]));
        let nulls = bytes.iter().filter(|b| **b == NULL_BYTE).count();
        self.body.clear();
        if description.max_def_level() > 0 {
            byte_levels(&mut self.body, &bytes, nulls);
        }
        if nulls > 0 {
            bytes.retain(|b| *b != NULL_BYTE);
        }
        let mut seen = [false; 256];
        bytes.iter().for_each(|b| seen[usize::from(*b)] = true);
        let used: Vec<u8> = (0..=u8::MAX).filter(|b| seen[usize::from(*b)]).collect();
        let chunk = match codes {
            Some(codes) if !used.is_empty() => self.byte_codes(description, rows.len(), &bytes, &used, codes, nulls as u64),
            Some(_) => self.finish(description, rows.len(), Pages::plain(text_statistics(std::iter::empty(), nulls as u64))),
            None => {
                pack_bytes(&mut self.body, &bytes, 1, |b| b);
                let ends = (used.first().map(|b| *b == 1), used.last().map(|b| *b == 1));
                let statistics = Some(Statistics::boolean(ends.0, ends.1, None, Some(nulls as u64), false));
                self.finish(description, rows.len(), Pages::plain(statistics))
            }
        };
        self.bytes = bytes;
        chunk
    }

    /// Codes as the indices of a dictionary of those that occur.
    fn byte_codes(
        &mut self,
        description: &ColumnDescPtr,
        rows: usize,
        bytes: &[u8],
        used: &[u8],
        codes: &dyn ByteTexts,
        nulls: u64,
    ) -> Encoded<Chunk> {
        let mut numbers = [0u8; 256];
        (0u8..).zip(used).for_each(|(number, code)| numbers[usize::from(*code)] = number);
        let width = bits(used.len() as u32 - 1);
        self.body.push(width as u8);
        if used.len() == 1 {
            equal_run(&mut self.body, bytes.len(), 0, width);
        } else {
            let end = packed_run(&mut self.body, bytes.len(), width);
            pack_bytes(&mut self.body, bytes, width, |b| numbers[usize::from(b)]);
            self.body.resize(end, 0);
        }
        let mut words = Vec::new();
        plain_texts(&mut words, used.iter().map(|code| codes.text(*code)));
        let statistics = text_statistics(used.iter().map(|code| codes.text(*code)), nulls);
        let pages = Pages { dictionary: Some((&words, used.len())), encoding: Encoding::RLE_DICTIONARY, statistics };
        self.finish(description, rows, pages)
    }

    /// Whole numbers: by a dictionary where they lie close together, else plainly.
    pub fn ints(&mut self, description: &ColumnDescPtr, values: &[i32], rows: &[u32]) -> Encoded<Chunk> {
        let present = || rows.iter().map(|r| values[*r as usize]).filter(|v| *v != NULL_INT);
        let (least, most) = present().fold((i32::MAX, i32::MIN), |(a, b), v| (a.min(v), b.max(v)));
        let range = i64::from(most) - i64::from(least);
        if range < DICTIONARY_RANGE {
            let code = |v: i32| if v == NULL_INT { NULL } else { v.wrapping_sub(least) as u32 };
            self.codes.clear();
            self.codes.extend(rows.iter().map(|r| code(values[*r as usize])));
            let value = |code: u32| least.wrapping_add(code as i32);
            let statistics = |used: &[u32], nulls| {
                Some(Statistics::int32(used.first().map(|c| value(*c)), used.last().map(|c| value(*c)), None, Some(nulls), false))
            };
            return self.coded(
                description,
                (range.max(0) + 1) as usize,
                |out, c| out.extend_from_slice(&value(c).to_le_bytes()),
                statistics,
            );
        }
        self.nulls(rows, |r| values[r] == NULL_INT);
        let nulls = self.begin(description) as u64;
        present().for_each(|v| self.body.extend_from_slice(&v.to_le_bytes()));
        let statistics = Some(Statistics::int32(Some(least), Some(most), None, Some(nulls), false));
        self.finish(description, rows.len(), Pages::plain(statistics))
    }

    /// Long whole numbers: by a dictionary where they lie close together, else plainly.
    pub fn longs(&mut self, description: &ColumnDescPtr, values: &[i64], rows: &[u32]) -> Encoded<Chunk> {
        let present = || rows.iter().map(|r| values[*r as usize]).filter(|v| *v != NULL_LONG);
        let (least, most) = present().fold((i64::MAX, i64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        let range = i128::from(most) - i128::from(least);
        if range < i128::from(DICTIONARY_RANGE) {
            let code = |v: i64| if v == NULL_LONG { NULL } else { v.wrapping_sub(least) as u32 };
            self.codes.clear();
            self.codes.extend(rows.iter().map(|r| code(values[*r as usize])));
            let value = |code: u32| least.wrapping_add(i64::from(code));
            let statistics = |used: &[u32], nulls| {
                Some(Statistics::int64(used.first().map(|c| value(*c)), used.last().map(|c| value(*c)), None, Some(nulls), false))
            };
            let domain = (range.max(0) + 1) as usize;
            return self.coded(description, domain, |out, c| out.extend_from_slice(&value(c).to_le_bytes()), statistics);
        }
        self.nulls(rows, |r| values[r] == NULL_LONG);
        let nulls = self.begin(description) as u64;
        present().for_each(|v| self.body.extend_from_slice(&v.to_le_bytes()));
        let statistics = Some(Statistics::int64(Some(least), Some(most), None, Some(nulls), false));
        self.finish(description, rows.len(), Pages::plain(statistics))
    }

    /// A chunk of [`Encoder::codes`] that are numbers of `words`, each of which occurs.
    pub fn words(&mut self, description: &ColumnDescPtr, words: &[&[u8]]) -> Encoded<Chunk> {
        let nulls = self.begin(description);
        let mut page = std::mem::take(&mut self.words);
        page.clear();
        plain_texts(&mut page, words.iter().copied());
        let statistics = text_statistics(words.iter().copied(), nulls as u64);
        let pages = if words.is_empty() {
            Pages::plain(statistics)
        } else {
            let width = bits(words.len() as u32 - 1);
            self.body.push(width as u8);
            let values = self.codes.iter().copied().filter(|c| *c != NULL);
            hybrid(&mut self.body, values, self.codes.len() - nulls, width);
            Pages { dictionary: Some((&page, words.len())), encoding: Encoding::RLE_DICTIONARY, statistics }
        };
        let chunk = self.finish(description, self.codes.len(), pages);
        self.words = page;
        chunk
    }

    /// Notes which rows are null, for the levels.
    fn nulls(&mut self, rows: &[u32], is_null: impl Fn(usize) -> bool) {
        self.codes.clear();
        self.codes.extend(rows.iter().map(|r| if is_null(*r as usize) { NULL } else { 0 }));
    }

    /// The leading id, which is sorted.
    pub fn sorted_texts<'t>(&mut self, description: &ColumnDescPtr, text: impl Fn(u32) -> &'t [u8]) -> Encoded<Chunk> {
        self.begin(description);
        delta_texts(&mut self.body, self.codes.iter().map(|c| text(*c)));
        let distinct = self.codes.chunk_by(|a, b| a == b).map(|c| text(c[0]));
        let statistics = text_statistics(distinct, 0);
        self.finish(description, self.codes.len(), Pages { dictionary: None, encoding: Encoding::DELTA_BYTE_ARRAY, statistics })
    }

    /// The leading key, which is sorted.
    pub fn sorted_keys(&mut self, description: &ColumnDescPtr) -> Encoded<Chunk> {
        self.begin(description);
        let keys: Vec<i32> = self.codes.iter().map(|c| *c as i32).collect();
        delta(&mut self.body, &keys);
        let statistics = Some(Statistics::int32(keys.first().copied(), keys.last().copied(), None, Some(0), false));
        self.finish(description, keys.len(), Pages { dictionary: None, encoding: Encoding::DELTA_BINARY_PACKED, statistics })
    }

    /// A surrogate key whose codes have just been written as texts: only the words differ.
    pub fn keys(&mut self, description: &ColumnDescPtr, domain: usize) -> Encoded<Chunk> {
        let statistics = |used: &[u32], nulls| {
            let ends = (used.first().map(|c| *c as i32), used.last().map(|c| *c as i32));
            Some(Statistics::int32(ends.0, ends.1, None, Some(nulls), false))
        };
        self.coded(description, domain, |out, code| out.extend_from_slice(&code.to_le_bytes()), statistics)
    }
}

fn text_statistics<'t>(texts: impl Iterator<Item = &'t [u8]>, nulls: u64) -> Option<Statistics> {
    let range = texts.fold(None, |range: Option<(&[u8], &[u8])>, t| {
        let (least, most) = range.unwrap_or((t, t));
        Some((least.min(t), most.max(t)))
    });
    let value = |text: &[u8]| ByteArray::from(text.to_vec());
    match range {
        Some((least, most)) if least.len().max(most.len()) > LONGEST_STATISTIC => {
            Some(Statistics::byte_array(None, None, None, Some(nulls), false))
        }
        _ => Some(Statistics::byte_array(range.map(|r| value(r.0)), range.map(|r| value(r.1)), None, Some(nulls), false)),
    }
}
