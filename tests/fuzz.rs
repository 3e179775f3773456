//! Every reader against files that were changed at random, from the seeds below and the kept corpus in tests/fuzz/corpus (files that once
//! were of interest; the folder is the ending). The same changes every time; `make fuzz SECONDS=…` goes on from there.

#[path = "fuzz/read.rs"]
pub mod read;

use crate::school::{Dice, PROGRAM};
use crate::support::{entries, home};
use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Files changed in `make test`, of each format.
const FILES: u64 = 1500;

/// What means something to some reader.
const TOKENS: [&[u8]; 40] = [
    b"\"",
    b",",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b"\"\"",
    b"\",\"",
    b"\0",
    b"\xEF\xBB\xBF",
    b"\xFF\xFE",
    b"\xFE\xFF",
    b"\x81",
    b"\xE9",
    b"\xC3\xA9",
    b"\xC3",
    b"\xF0\x9D\x84\x9E",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"\\",
    b"\\u0000",
    b"\\ud834\\udd1e",
    b"1e9",
    b"-",
    b"null",
    b"<row>",
    b"</row>",
    b"<c t=\"s\">",
    b"<v>",
    b"</c>",
    b"<",
    b"&#0;",
    b"&amp;",
    b"<![CDATA[",
    b"r=\"XFD9\"",
    b"\xFF\xFF\xFF\xFF",
    b"PAR1",
];

fn change(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    for _ in 0..1 + dice.roll(6) {
        let mut at = |length: usize| dice.roll(length as u64 + 1) as usize;
        let (from, to) = (at(bytes.len()), at(bytes.len()));
        let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 200));
        match dice.roll(8) {
            0 => drop(bytes.drain(from..to)),
            1 => bytes.splice(from..from, bytes[from..to].to_vec()).for_each(drop),
            2 if !other.is_empty() => {
                let start = dice.roll(other.len() as u64) as usize;
                let end = (start + dice.roll(100) as usize).min(other.len());
                bytes.splice(from..to, other[start..end].iter().copied()).for_each(drop);
            }
            3 => bytes.truncate(to),
            4 | 5 => {
                let token = TOKENS[dice.roll(TOKENS.len() as u64) as usize];
                bytes.splice(from..from, token.iter().copied()).for_each(drop);
            }
            _ => bytes[from..to]
                .iter_mut()
                .take(1)
                .for_each(|b| *b = if dice.roll(2) == 0 { *b ^ 1 << dice.roll(8) } else { dice.roll(256) as u8 }),
        }
    }
}

/// Reads the seeds, then files made of them, until there were enough.
fn fuzz(ending: &str, corpus: &str, seeds: Vec<Vec<u8>>, change: impl Fn(&[u8], &[u8], &mut Dice) -> Vec<u8>) {
    let folder = read::folder();
    fuzz_with(ending, corpus, FILES, seeds, change, |bytes| read::read(folder.path(), ending, bytes));
}

fn fuzz_with(
    ending: &str,
    corpus: &str,
    files: u64,
    mut seeds: Vec<Vec<u8>>,
    change: impl Fn(&[u8], &[u8], &mut Dice) -> Vec<u8>,
    read: impl Fn(&[u8]),
) {
    let kept = home().join("tests/fuzz/corpus").join(corpus);
    if kept.is_dir() {
        seeds.extend(entries(&kept).iter().map(|path| std::fs::read(path).unwrap()));
    }
    let try_one = |bytes: &[u8], number: u64| {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| read(bytes))) {
            let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("found-{number}.{ending}"));
            std::fs::write(&path, bytes).unwrap();
            eprintln!("file {number}: {}; once it is corrected, keep the file in {}", path.display(), kept.display());
            std::panic::resume_unwind(panic);
        }
    };
    seeds.iter().for_each(|seed| try_one(seed, 0));
    let variable = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (start, first) = (Instant::now(), variable("PERKINS_TEST_FUZZ_FROM").unwrap_or(1));
    let seconds = variable("PERKINS_TEST_FUZZ_SECONDS").map(Duration::from_secs);
    let enough = |number: u64| seconds.map_or(number >= files, |most| start.elapsed() >= most);
    let mut number = 0;
    while !enough(number) {
        let mut dice = Dice((first + number).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let [seed, other] = [0, 1].map(|_| dice.roll(seeds.len() as u64) as usize);
        try_one(&change(&seeds[seed], &seeds[other], &mut dice), first + number);
        number += 1;
    }
    if seconds.is_some() {
        eprintln!("{ending}: {number} files from number {first} on");
    }
}

fn in_place(seed: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    change(&mut bytes, other, dice);
    bytes
}

const ROWS: [&str; 4] =
    ["2024,P1,S,Baking,520101,approved", "2023,P2,S,\"A, \"\"B\"\"\nC\",52.0101,startup", "2024,P3,S,,1,approved", "x,,,,,"];

fn texts(separator: &str) -> Vec<Vec<u8>> {
    let text = (PROGRAM.to_string() + &ROWS.join("\n")).replace(',', separator);
    let utf16 = |text: &str| [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let windows = encoding_rs::WINDOWS_1252.encode(&text.replace('a', "ä")).0.into_owned();
    vec![
        text.clone().into_bytes(),
        text.replace('\n', "\r\n").into_bytes(),
        text.replace('\n', "\r").into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        utf16(&text),
        windows,
    ]
}

#[test]
fn csv() {
    fuzz("csv", "csv", texts(","), in_place);
}

#[test]
fn tsv() {
    fuzz("tsv", "tsv", texts("\t"), in_place);
}

#[test]
fn packed_text() {
    let text = texts(",").concat();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, &text).unwrap();
    fuzz("csv.gz", "gz", vec![gz.finish().unwrap()], in_place);
    fuzz("csv.zst", "zst", vec![zstd::encode_all(&text[..], 1).unwrap()], in_place);
}

#[test]
fn ndjson() {
    let object = r#"{"school_year":2024,"program_id":"P1","institution_id":"S","program_name":"B\u00e4cker \"x\"","cip_code":52.0101,"approval":"approved","more":{"a":[1,{"b":null}]}}"#;
    let lines = [object, "", "[1]", "{\"program_id\":1.50e1}", object].join("\n");
    let utf16 = [0xFEFF].into_iter().chain(lines.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    fuzz("ndjson", "ndjson", vec![lines.clone().into_bytes(), utf16, lines.replace("B", "\u{fc}").into_bytes()], in_place);
}

#[test]
fn workbooks_and_their_parts() {
    fuzz("xlsx", "xlsx", vec![read::workbook()], in_place);
    // As for the target of `fuzz/`: the number of a part, then its content.
    for path in entries(&home().join("tests/fuzz/corpus/sheet")) {
        let (folder, kept) = (read::folder(), std::fs::read(&path).unwrap());
        read::read(folder.path(), "xlsx", &read::with_part(&read::workbook(), usize::from(kept[0]), |_| kept[1..].to_vec()));
    }
    fuzz("xlsx", "none", vec![read::workbook()], |seed, other, dice| {
        let part = dice.roll(8) as usize;
        read::with_part(seed, part, |content| in_place(&content, other, dice))
    });
}

/// Files that mappings are for; each is read for every table and pass, so there are fewer.
#[test]
fn mapped_files() {
    const FILES: u64 = 150;
    let folder = read::folder();
    for (mapping, files) in read::mappings() {
        for (name, content) in files {
            let ending = name.rsplit('.').next().unwrap().to_string();
            let corpus = format!("mapping/{}", mapping.name);
            fuzz_with(&ending, &corpus, FILES, vec![content], in_place, |bytes| read::read_mapped(folder.path(), &mapping, &name, bytes));
        }
    }
}

fn parquets() -> Vec<Vec<u8>> {
    let text = |values: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let columns: [(&str, ArrayRef); 8] = [
        ("school_year", Arc::new(Int32Array::from(vec![2024, 2023, 2024]))),
        ("program_id", text(["P1", "P2", "P3"])),
        ("institution_id", text(["S"; 3])),
        ("program_name", text(["a", "b", "c"])),
        ("cip_code", Arc::new(Float64Array::from(vec![52.0101, 1.0, 520101.0]))),
        ("approval", text(["approved", "startup", "x"])),
        ("required_credits", Arc::new(Float64Array::from(vec![Some(1.5), None, Some(0.1 + 0.2)]))),
        ("day", Arc::new(Date32Array::from(vec![1, 2, 3]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let write = |compression, rows| {
        let properties = WriterProperties::builder().set_compression(compression).set_max_row_group_row_count(Some(rows)).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    };
    vec![write(Compression::UNCOMPRESSED, 10), write(Compression::SNAPPY, 2), write(Compression::ZSTD(ZstdLevel::default()), 10)]
}

#[test]
fn parquet_files() {
    fuzz("parquet", "parquet", parquets(), |seed, other, dice| {
        let mut bytes = seed.to_vec();
        if dice.roll(3) == 0 || bytes.len() < 12 {
            return in_place(&bytes, other, dice);
        }
        // What keeps its length keeps its footer in place.
        for _ in 0..1 + dice.roll(4) {
            let at = dice.roll(bytes.len() as u64 - 8) as usize;
            bytes[at] = if dice.roll(2) == 0 { bytes[at] ^ 1 << dice.roll(8) } else { dice.roll(256) as u8 };
        }
        bytes
    });
}
