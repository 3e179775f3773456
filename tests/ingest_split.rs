//! Ingest: our splitting of text into records and fields agrees with the `csv` crate.

use crate::school::Dice;
use perkins::error::Error;
use perkins::ingest::fields::{Place, Tile};
use perkins::ingest::records::{Chunk, Records};
use proptest::prelude::*;

/// What our splitter makes of a text: rows of so many fields with their lines, and lines of other records with their number of fields.
#[derive(Debug, Default, PartialEq)]
struct Split {
    rows: Vec<(u64, Vec<String>)>,
    odd: Vec<(u64, usize)>,
}

fn split(text: &[u8], chunk_bytes: usize, columns: usize) -> Result<Split, Error> {
    let (mut records, mut chunk, mut tile, mut found) =
        (Records::new(text, b',', chunk_bytes), Chunk::default(), Tile::default(), Split::default());
    while records.next(&mut chunk, "test")? {
        let mut place = Place::start(&chunk);
        while tile.next(&chunk, &mut place, columns) {
            for (&row, &line) in tile.rows.iter().zip(&tile.lines) {
                let text = tile.text(&chunk);
                let field = |f| {
                    let (start, len) = tile.field(text, row, f);
                    if tile.clean {
                        assert_eq!((start, len), tile.field_of::<true>(text, row, f));
                    }
                    String::from_utf8_lossy(&text[start..start + len]).into_owned()
                };
                found.rows.push((chunk.line + u64::from(line), (0..columns).map(field).collect()));
            }
            found.odd.extend(tile.irregular.iter().map(|(line, fields)| (chunk.line + u64::from(*line), *fields as usize)));
        }
    }
    Ok(found)
}

/// The same by the `csv` crate, for which LF, CR and CRLF end a line as for a text editor.
fn split_by_crate(text: &[u8], columns: usize) -> Split {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut found = Split::default();
    for record in reader.byte_records() {
        let record = record.unwrap();
        let mut start = record.position().unwrap().byte() as usize;
        start += text[start..].iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
        let line = 1 + String::from_utf8_lossy(&text[..start]).replace("\r\n", "\n").replace('\r', "\n").matches('\n').count() as u64;
        let fields: Vec<String> = record.iter().map(|f| field_text(f).trim().to_string()).collect();
        match fields.len() {
            1 if fields[0].is_empty() => {}
            n if n == columns => found.rows.push((line, fields)),
            n => found.odd.push((line, n)),
        }
    }
    found
}

/// A carriage return alone is a line end, also within quotation marks.
fn field_text(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field).replace("\r\n", "\u{1}").replace('\r', "\n");
    text.replace('\u{1}', "\r\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn splitting_agrees_with_the_csv_crate(text in "([,\"\n\r a\u{e9}]|a,b\n|\"x\"\"\n\",y\n){0,60}", chunk_bytes in 1usize..50, columns in 1usize..4) {
        // An open quotation mark is an error of ours; the crate takes the rest as one field.
        if let Ok(ours) = split(text.as_bytes(), chunk_bytes, columns) {
            prop_assert_eq!(ours, split_by_crate(text.as_bytes(), columns));
        }
    }
}

#[test]
fn splitting_agrees_with_the_csv_crate_on_long_texts() {
    for (seed, quotes) in [(1, 0), (2, 3), (3, 400)] {
        let (mut dice, mut text) = (Dice(seed), String::new());
        while text.len() < 300_000 {
            let fields = (0..3).map(|_| match dice.roll(1000) {
                n if n < quotes => format!("\"{}\n\"\"{n}, \"", "q".repeat(n as usize)),
                n if n < 990 => "v".repeat(n as usize % 11),
                n => " é ".repeat(n as usize % 3),
            });
            text += &fields.collect::<Vec<_>>().join(",");
            text += ["\n", "\n", "\n", "\r\n", "\n\n", ",\n"][dice.roll(6) as usize];
        }
        // A record longer than a tile.
        text += &format!("{},b,c\n1,2,3\n", "w".repeat(100_000));
        let expected = split_by_crate(text.as_bytes(), 3);
        assert!(expected.rows.len() > 500 && expected.odd.len() > 50, "{} {}", expected.rows.len(), expected.odd.len());
        for chunk_bytes in [5_000, 64 << 10, 1 << 20] {
            assert_eq!(split(text.as_bytes(), chunk_bytes, 3).unwrap(), expected);
        }
    }
}
