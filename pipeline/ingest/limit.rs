//! How large what comes in may be, in one place: beyond it a file is refused with a message, so that memory stays bounded whatever is handed over.
//! docs/formats.md tells people the same.

/// A record of a text file, or a line of NDJSON, in bytes.
pub const RECORD_BYTES: usize = 16 << 20;
/// Bytes of the values of a collection that are kept in memory while it is read, if nothing else is said; more are put aside on disk.
pub const ROOM_BYTES: u64 = 256 << 20;
/// Rejected rows of a collection: each is kept in memory until it is written to the reject table.
pub const REJECTS: u64 = 5_000_000;
/// Columns of a file; what a sheet of a workbook can have.
pub const COLUMNS: usize = 16_384;
/// Characters of a text; what a cell of a workbook can have.
pub const TEXT_CHARACTERS: usize = 32_767;
/// Bytes that are more than so many characters, whatever they are.
pub const TEXT_BYTES: usize = 4 * (TEXT_CHARACTERS + 2);

/// A packed file may grow so many times as it is unpacked ...
pub const UNPACKED_TIMES: u64 = 250;
/// ... once it has grown to so many bytes.
pub const UNPACKED_FREE: u64 = 64 << 20;

/// Objects within objects of a line of NDJSON.
pub const JSON_DEPTH: usize = 32;
/// Names that nobody asked for and that are told of, of a file of NDJSON.
pub const UNKNOWN_NAMES: usize = 1000;

/// Parts of a workbook.
pub const PARTS: usize = 10_000;
/// The first sheet of a workbook, unpacked, in bytes.
pub const SHEET_BYTES: u64 = 2 << 30;
/// The table of texts of a workbook, unpacked, in bytes; it is kept in memory.
pub const STRINGS_BYTES: u64 = 512 << 20;
/// Any other part of a workbook that is read, unpacked, in bytes.
pub const PART_BYTES: u64 = 64 << 20;
/// Cells of a sheet.
pub const CELLS: u64 = 100_000_000;
/// Rows of a sheet; what a sheet can have.
pub const SHEET_ROWS: u64 = 1 << 20;
/// A tag or a text within a part of a workbook, in bytes.
pub const XML_BYTES: u64 = 1 << 20;
/// Elements within elements of a part of a workbook.
pub const XML_DEPTH: usize = 64;
/// Rows in which the header is looked for: of a sheet, to read it, and of text, to say where it is.
pub const HEADER_ROWS: usize = 100;

/// The description at the end of a Parquet file, in bytes.
pub const FOOTER_BYTES: u64 = 64 << 20;
/// A page of a Parquet file, unpacked, in bytes: it is in memory at once.
pub const PAGE_BYTES: u64 = 512 << 20;
/// A page of a Parquet file in which a text may repeat what begins the one before (DELTA_BYTE_ARRAY), so that each may be as long as the page ...
pub const DELTA_PAGE_BYTES: u64 = 2 << 20;
/// ... and bytes of the texts of all such columns that are decoded at a time.
pub const DELTA_BYTES: usize = 256 << 20;
/// The header of a page of a Parquet file, in bytes.
pub const PAGE_HEADER_BYTES: u64 = 16 << 20;
/// Structures within structures of headers of a Parquet file.
pub const THRIFT_DEPTH: usize = 32;
/// A column of a row group of a Parquet file, unpacked, in bytes: some of it is in memory at once.
pub const COLUMN_CHUNK_BYTES: i64 = 2 << 30;
/// Values of a page of a Parquet file that are packed as differences: the library takes all of them at once.
pub const DELTA_VALUES: u64 = 1 << 24;
/// The texts of a Parquet file, and its pages unpacked, may have so many times the bytes of the file ...
pub const PARQUET_TIMES: u64 = 1000;
/// ... once they have so many bytes.
pub const PARQUET_FREE: u64 = 256 << 20;
/// A workbook as it lies there, in bytes.
pub const WORKBOOK_BYTES: u64 = 2 << 30;
