//! Parquet: columns of simple types as the texts that a contract reads; only those wanted are read.

use super::super::limit::{COLUMN_CHUNK_BYTES, COLUMNS, FOOTER_BYTES, PARQUET_FREE, PARQUET_TIMES, TEXT_BYTES};
use super::super::rows::{End, Row, Rows};
use super::super::source::Source;
use super::notes::{Fault, Notes};
use super::number::{float, float32, moment, plain, time};
use super::pages::Pages;
use super::thrift::walk;
use super::unpack::Hashing;
use super::{Want, header};
use crate::error::{Error, Result};
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, RecordBatch, RecordBatchReader};
use arrow::datatypes::*;
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader};
use parquet::arrow::{ProjectionMask, parquet_to_arrow_field_levels};
use parquet::basic::Compression;
use std::cell::Cell;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Once};

/// Rows decoded at a time.
const BATCH: usize = 4096;

/// A Parquet file.
pub struct Parquet {
    name: String,
    hashing: Hashing,
    header: Vec<String>,
    reader: ParquetRecordBatchReader,
    /// The rows decoded last, and which of them comes next.
    batch: RecordBatch,
    at: usize,
    row: u64,
    bytes: u64,
    written: u64,
    notes: Notes,
}

impl Parquet {
    /// Opens a file and finds the wanted columns.
    pub fn open(source: &Source, want: &Want, notes: &Notes) -> Result<Parquet> {
        let name = source.name.clone();
        let hashing = Hashing::open(&source.path, &name)?;
        let file = File::open(&source.path).map_err(|e| Error::io("read", &source.path, e))?;
        let bytes = check_footer(&file, &name)?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = guarded(&name, || ArrowReaderMetadata::load(&file, options))?;
        let chosen = choose(&metadata, want, notes, &name)?;
        check_sizes(&metadata, &name)?;
        let header = chosen.iter().map(|i| metadata.schema().field(*i).name().clone()).collect();
        let reader = guarded(&name, || {
            // Views of texts: one that is there many times takes memory once.
            let views = with_views(metadata.schema());
            let mask = ProjectionMask::roots(metadata.parquet_schema(), chosen);
            let fields = parquet_to_arrow_field_levels(metadata.parquet_schema(), mask, Some(views.fields()))?;
            let pages = Pages::new(file, Arc::clone(metadata.metadata()), PARQUET_FREE.max(bytes.saturating_mul(PARQUET_TIMES)));
            ParquetRecordBatchReader::try_new_with_row_groups(&fields, &pages, pages.rows_at_once(BATCH), None)
        })?;
        let (batch, notes) = (RecordBatch::new_empty(reader.schema()), notes.clone());
        Ok(Parquet { name, hashing, header, reader, batch, at: 0, row: 0, bytes, written: 0, notes })
    }

    /// Decodes the next rows; false if there are none.
    fn decode(&mut self) -> Result<bool> {
        let batch = guarded(&self.name, || self.reader.next().transpose())?;
        (self.batch, self.at) = (batch.unwrap_or_else(|| RecordBatch::new_empty(self.reader.schema())), 0);
        Ok(self.batch.num_rows() > 0)
    }

    /// The next decoded row.
    fn row(&mut self, row: &mut Row) -> Result<()> {
        let at = self.at;
        (self.at, self.row) = (at + 1, self.row + 1);
        row.line = self.row + 1;
        row.fields.clear();
        for (column, name) in self.batch.columns().iter().zip(&self.header) {
            let text = if column.is_null(at) { Some(String::new()) } else { text(column, at) };
            let wrong = || Error::Data(format!("{}: column {name} has bytes that are no UTF-8", self.name));
            row.fields.push(text.ok_or_else(wrong)?);
        }
        self.written += row.fields.iter().map(|t| t.len() as u64 + 1).sum::<u64>();
        if self.written > PARQUET_FREE && self.written / PARQUET_TIMES > self.bytes {
            return Err(Error::Data(format!(
                "{}: unpacks to more than {PARQUET_TIMES} times its size; if it is right, hand it over as csv",
                self.name
            )));
        }
        Ok(())
    }
}

impl Rows for Parquet {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn header_line(&self) -> u64 {
        1
    }

    fn next(&mut self, row: &mut Row) -> Result<bool> {
        while self.at < self.batch.num_rows() || self.decode()? {
            self.row(row)?;
            match row.fields.iter().find(|f| f.contains('\0')) {
                Some(text) => self.notes.fault(row.line, Fault::ZeroByte, text.as_bytes()),
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    fn finish(self: Box<Self>) -> Result<End> {
        let (bytes, blake3) = self.hashing.finish()?;
        Ok(End { bytes, blake3 })
    }
}

thread_local! {
    /// Whether a panic of this thread is expected, and is told as an error instead.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}
static QUIET: Once = Once::new();

/// Does what may fail, also by a panic, on a file that is damaged. The library checks much of what a file says, not all.
fn guarded<T, E: std::fmt::Display>(name: &str, work: impl FnOnce() -> std::result::Result<T, E>) -> Result<T> {
    QUIET.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !EXPECTED.get() {
                usual(panic)
            }
        }));
    });
    EXPECTED.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    EXPECTED.set(false);
    match done {
        Ok(done) => done.map_err(|e| damaged(name, &e.to_string())),
        Err(_) => Err(damaged(name, "it cannot be decoded")),
    }
}

fn damaged(name: &str, why: &str) -> Error {
    Error::Data(format!("{name}: is no Parquet file, or a damaged one ({why}); hand it over again"))
}

/// Looks at the end of a file before the library does; gives the size of the file.
fn check_footer(mut file: &File, name: &str) -> Result<u64> {
    let mut end = [0; 8];
    let read = |file: &mut &File, end: &mut [u8; 8]| {
        let size = file.seek(SeekFrom::End(-8))? + 8;
        file.read_exact(end)?;
        file.rewind().map(|()| size)
    };
    let size = read(&mut file, &mut end).unwrap_or_default();
    let [a, b, c, d, magic @ ..] = end;
    let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
    match &magic {
        b"PARE" => Err(Error::Data(format!("{name}: is encrypted; hand it over without encryption"))),
        b"PAR1" if footer + 12 <= size && footer <= FOOTER_BYTES => {
            let walked =
                file.seek(SeekFrom::Start(size - 8 - footer)).and_then(|_| walk(BufReader::new(file.take(footer)), footer, header::FILE));
            walked.and_then(|_| file.rewind()).map_err(|e| damaged(name, &e.to_string()))?;
            Ok(size)
        }
        b"PAR1" if footer > FOOTER_BYTES => {
            Err(Error::Data(format!("{name}: its description has {footer} bytes; at most {FOOTER_BYTES} are read; hand it over as csv")))
        }
        _ => Err(Error::Data(format!("{name}: is no Parquet file, or is cut off; hand it over again"))),
    }
}

/// The wanted columns; notes the others, and refuses wanted ones that are no simple values.
fn choose(metadata: &ArrowReaderMetadata, want: &Want, notes: &Notes, name: &str) -> Result<Vec<usize>> {
    let fields = metadata.schema().fields();
    if fields.len() > COLUMNS {
        return Err(Error::Data(format!("{name}: has {} columns; at most {COLUMNS} can be read", fields.len())));
    }
    want.check(fields.iter().map(|f| f.name().as_str()), name)?;
    let mut chosen = Vec::new();
    for (i, field) in fields.iter().enumerate() {
        match want.place(field.name()) {
            None => notes.unknown(field.name()),
            Some(_) if field.data_type().is_nested() || !is_readable(field.data_type()) => {
                let (column, kind) = (field.name(), field.data_type());
                return Err(Error::Data(format!(
                    "{name}: column {column} is of type {kind}; expected text, a number, yes or no, or a date"
                )));
            }
            Some(_) => chosen.push(i),
        }
    }
    Ok(chosen)
}

fn is_readable(kind: &DataType) -> bool {
    use DataType::*;
    let number = kind.is_integer() || kind.is_floating() || kind.is_decimal();
    number
        || matches!(
            kind,
            Null | Boolean
                | Utf8
                | LargeUtf8
                | Utf8View
                | Binary
                | LargeBinary
                | BinaryView
                | Date32
                | Date64
                | Timestamp(..)
                | Time32(_)
                | Time64(_)
        )
}

/// Refuses columns that cannot be unpacked, or would take much memory. What they say may be wrong, but pages cannot be larger than they say by much.
fn check_sizes(metadata: &ArrowReaderMetadata, name: &str) -> Result<()> {
    let chunks = || metadata.metadata().row_groups().iter().flat_map(|g| g.columns());
    let packed = |c: &Compression| matches!(c, Compression::BROTLI(_) | Compression::LZO);
    if let Some(packing) = chunks().map(|c| c.compression()).find(packed) {
        return Err(Error::Data(format!("{name}: is packed with {packing}; write it with Snappy, Zstandard or gzip")));
    }
    match chunks().map(|c| c.uncompressed_size()).find(|size| !(0..=COLUMN_CHUNK_BYTES).contains(size)) {
        Some(size) => Err(Error::Data(format!(
            "{name}: a column of a row group has {size} bytes; at most {COLUMN_CHUNK_BYTES} are read; write it with smaller row groups"
        ))),
        None => Ok(()),
    }
}

/// The same columns with texts as views.
fn with_views(schema: &Schema) -> SchemaRef {
    let views = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
        DataType::Binary | DataType::LargeBinary => Arc::new(field.as_ref().clone().with_data_type(DataType::BinaryView)),
        _ => field.clone(),
    });
    Arc::new(Schema::new(views.collect::<Fields>()))
}

/// A text, or so much of it as is more than a field may have.
fn limited(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES)].to_string()
}

const DAY: i64 = 86_400;

/// A value that is not null as text; none if it is no text.
fn text(column: &ArrayRef, row: usize) -> Option<String> {
    fn of<T: ArrowPrimitiveType>(column: &ArrayRef, row: usize) -> T::Native {
        column.as_primitive::<T>().value(row)
    }
    let or_number = |moment: Option<String>, units: i64| Some(moment.unwrap_or_else(|| units.to_string()));
    match column.data_type() {
        DataType::Utf8View => Some(limited(column.as_string_view().value(row))),
        DataType::BinaryView => std::str::from_utf8(column.as_binary_view().value(row)).ok().map(limited),
        DataType::Float16 => Some(float32(of::<Float16Type>(column, row).to_f32())),
        DataType::Float32 => Some(float32(of::<Float32Type>(column, row))),
        DataType::Float64 => Some(float(of::<Float64Type>(column, row))),
        DataType::Date32 => {
            let days = i64::from(of::<Date32Type>(column, row));
            or_number(moment(days, 1), days)
        }
        DataType::Date64 => {
            let units = of::<Date64Type>(column, row);
            or_number(moment(units, DAY * 1000), units)
        }
        DataType::Timestamp(unit, _) => {
            let (units, per_second) = match unit {
                TimeUnit::Second => (of::<TimestampSecondType>(column, row), 1),
                TimeUnit::Millisecond => (of::<TimestampMillisecondType>(column, row), 1_000),
                TimeUnit::Microsecond => (of::<TimestampMicrosecondType>(column, row), 1_000_000),
                TimeUnit::Nanosecond => (of::<TimestampNanosecondType>(column, row), 1_000_000_000),
            };
            or_number(moment(units, DAY * per_second), units)
        }
        DataType::Time32(TimeUnit::Millisecond) => Some(time(i64::from(of::<Time32MillisecondType>(column, row)), DAY * 1000)),
        DataType::Null => Some(String::new()),
        // Whole numbers, decimals, booleans and the rest as they are; zeros at the end of decimals say nothing.
        _ => array_value_to_string(column, row).ok().map(|text| plain(&text)),
    }
}
