//! From files to text: encodings (`encoding`), packed files (`unpack`), and the formats that are no text of rows (`ndjson`, `parquet`, `xlsx`),
//! which are read as [`super::rows::Rows`].

pub mod encoding;
pub mod notes;
pub mod unpack;
