//! Ingest (collections.md, "Files"): NDJSON and Parquet give the same lake as comma-separated text, and say what is wrong line by line.

use crate::school::{PROGRAM, STUDENT, School, brief, contents, counts, owned, rejects};
use crate::support::home;
use arrow::array::*;
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Schema};
use arrow::util::display::array_value_to_string;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use perkins::ingest::format::json::{Value, flatten};
use perkins::ingest::format::notes::Fault;
use perkins::ingest::format::number::{float, float32, moment, plain, time};
use perkins::ingest::format::pages::Packed;
use proptest::prelude::*;
use std::io::Write;
use std::sync::Arc;

const SUBAWARD: &str = "program_year,section,recipient_id,recipient_name,federal_id,formula_allocation,final_award,consortium_code\n";

fn loaded(name: &str, content: &[u8]) -> (School, perkins::ingest::Outcome) {
    let place = School::new();
    place.file(name, content);
    let outcome = place.ingest();
    (place, outcome)
}

fn error(name: &str, content: &[u8]) -> String {
    let place = School::new();
    place.file(name, content);
    place.error()
}

#[test]
fn ndjson_gives_the_same_lake_as_text() {
    let csv =
        format!("{SUBAWARD}2024,131,007,\"A, b\",1,12345678901.25,150,1\n2024,132,9007199254740993,\"tab\tand \"\"mark\"\"\",2,0.5,-2,0\n");
    let (_, expected) = loaded("subaward.csv", csv.as_bytes());
    let json = "\n{\"Program_Year\":2024,\"section\":131,\"recipient_id\":\"007\",\"recipient_name\":\"A, b\",\"federal_id\":\"1\",\
                \"formula_allocation\":12345678901.250,\"final_award\":1.5e2,\"consortium_code\":1.0,\"extra\":{\"a\":[1,{\"b\":true}]}}\r\n  \n\
                {\"program_year\":\"2024\",\"section\":\"132\",\"recipient_id\":9007199254740993,\"recipient_name\":\"tab\\tand \\u0022mark\\\"\",\
                \"federal_id\":2,\"formula_allocation\":5E-1,\"final_award\":-2.00,\"consortium_code\":-0}";
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(json.as_bytes()).unwrap();
    let utf16: Vec<u8> = [0xFEFF].into_iter().chain(json.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let files = [
        ("subaward.ndjson", json.as_bytes().to_vec()),
        ("subaward.ndjson.gz", gz.finish().unwrap()),
        ("subaward.ndjson.zst", zstd::encode_all(json.as_bytes(), 1).unwrap()),
        ("subaward.NDJSON", format!("\u{feff}{json}\n").into_bytes()),
        ("subaward.ndjson", utf16),
    ];
    for (name, bytes) in files {
        let (_place, outcome) = loaded(name, &bytes);
        assert_eq!(rejects(&outcome), [], "{name}");
        assert_eq!(contents(&outcome.load.files), contents(&expected.load.files), "{name}");
        let input = &outcome.load.inputs[0];
        assert_eq!(input.unknown_columns, ["extra.a.0", "extra.a.1.b"]);
        assert_eq!((input.bytes, input.blake3.clone()), (bytes.len() as u64, blake3::hash(&bytes).to_hex().to_string()));
    }
}

#[test]
fn faulty_lines_of_ndjson_are_rejected_one_by_one() {
    let good = |id: &str| format!("{{\"cip_code\":\"{id}\",\"career_cluster\":\"x\"}}");
    let deep = format!("{{\"career_cluster\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    let lines = [
        good("01.0101"),
        "{\"cip_code\":\"01.0102\",".into(),
        "[1]".into(),
        String::new(),
        deep.clone(),
        "{\"cip_code\":\"01.0103\",\"CIP_code\":\"01.0104\",\"career_cluster\":\"x\"}".into(),
        "{\"cip_code\":\"01.01\\u00005\",\"career_cluster\":\"x\"}".into(),
        good("bad"),
        "{\"cip_code\":\"01.0106\",\"career_cluster\":\"x\"} more".into(),
        "{\"cip_code\":\"01.0107\"}".into(),
        good("01.0108"),
    ];
    let (place, outcome) = loaded("crosswalk.ndjson", lines.join("\n").as_bytes());
    assert_eq!(place.column(&outcome.load, "crosswalk", "cip_code"), ["01.0101", "01.0108"]);
    let expected = [(2, ""), (3, ""), (5, ""), (6, ""), (7, ""), (8, "cip_code"), (9, ""), (10, "career_cluster")];
    let found: Vec<_> = rejects(&outcome).iter().map(|r| (r.line, r.field.clone())).collect();
    assert_eq!(found, expected.map(|(line, field)| (line, field.to_string())));
    assert_eq!(counts(&outcome, "crosswalk").read, 10);
    let said = |line| rejects(&outcome).into_iter().find(|r| r.line == line).unwrap();
    assert_eq!(said(2).message, "the line is no JSON; expected one object in braces");
    assert_eq!(said(2).text, "{\"cip_code\":\"01.0102\",");
    assert_eq!(said(3).message, "the line is JSON, but no object; expected one object in braces");
    assert_eq!(said(5).message, "the line has objects or lists too deep within each other");
    assert_eq!((said(5).text.len(), said(6).text), (deep.len(), "CIP_code".to_string()));
    assert_eq!(said(7).message, "a text of the row has a zero byte in it; remove it");
    assert_eq!(outcome.load.inputs[0].unknown_columns, Vec::<String>::new());
}

#[test]
fn ndjson_that_is_none_says_why() {
    assert!(
        error("crosswalk.ndjson", b"[\n{\"cip_code\":\"01.0101\"}\n]").contains("crosswalk.ndjson: begins with a list; expected one JSON")
    );
    assert!(error("crosswalk.ndjson", b"\n{\n\"cip_code\":\"01.0101\"\n}").contains("begins with an object over several lines"));
    let said = error("crosswalk.ndjson", b"{\"cip\":\"01.0101\",\"career_cluster\":null}");
    assert!(said.contains("required columns are missing: cip_code; columns found: career_cluster, cip"), "{said}");
    assert!(error("crosswalk.ndjson", b"\xEF\xBB\xBF{\"a\":1}\n{\"b\":\"\xE9\"}").contains("line 2, byte 7 of the line: 0xE9 is no UTF-8"));
    let windows = b"{\"cip_code\":\"01.0101\",\"career_cluster\":\"caf\xE9\"}\n";
    let (place, outcome) = loaded("crosswalk.ndjson", windows);
    assert_eq!(place.column(&outcome.load, "crosswalk", "career_cluster"), ["café"]);
    assert_eq!(outcome.load.warnings[0].examples, ["crosswalk.ndjson (Windows-1252)"]);
    // A file without a line has no rows, and nothing is missing.
    assert_eq!(counts(&loaded("crosswalk.ndjson", b"\n \n").1, "crosswalk").read, 0);
    let long = format!("{{\"cip_code\":\"{}\"}}\n", "x".repeat(17 << 20));
    assert!(error("crosswalk.ndjson", format!("\n{long}").as_bytes()).contains("crosswalk.ndjson: line 2 is longer than 16 MiB"));
}

#[test]
fn names_lead_into_objects_and_lists() {
    let mut found = Vec::new();
    let text = r#" {"a":{"b":1.10,"c":[true,{"d":"x\ny"}],"e":{},"f":[]},"g":null,"":{"h":-0}} "#;
    flatten(text, &mut |name, value| {
        found.push((name.to_string(), value));
        Ok(())
    })
    .unwrap();
    let texts = |text: &'static str| Value::Text(text.into());
    let expected = [
        ("a.b", Value::Number("1.10")),
        ("a.c.0", Value::Boolean(true)),
        ("a.c.1.d", texts("x\ny")),
        ("g", Value::Null),
        (".h", Value::Number("-0")),
    ];
    assert_eq!(found, expected.map(|(name, value)| (name.to_string(), value)));
    for (text, fault) in
        [("1", Fault::NoObject), ("{", Fault::NoJson), ("", Fault::NoJson), ("[{}]", Fault::NoObject), ("[{]", Fault::NoJson)]
    {
        assert_eq!(flatten(text, &mut |_, _| Ok(())), Err(fault), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_is_what_serde_json_says_it_is(
        text in r#"\{("a":)?([\[\]{}:, ]|"(\\[nu"\\x]|00e9|[é "a]){0,3}"|-?[0-9.]{1,3}|[eE][+-]?1|null|true|,"b":){0,6}\}"#,
    ) {
        let ours = flatten(&text, &mut |_, _| Ok(())).is_ok();
        prop_assert_eq!(ours, serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }

    #[test]
    fn a_value_of_an_object_is_found_as_it_is(values in prop::collection::vec(("[a-z\u{e9}\"\\\\\n]{0,5}", any::<i64>()), 0..5)) {
        let list: Vec<serde_json::Value> = values.iter().map(|(text, n)| serde_json::json!({"t": text, "n": [n]})).collect();
        let text = serde_json::json!({ "l": list }).to_string();
        let mut found = Vec::new();
        flatten(&text, &mut |name, value| {
            found.push((name.to_string(), match value {
                Value::Text(text) => text.into_owned(),
                Value::Number(n) => n.to_string(),
                other => panic!("{other:?}"),
            }));
            Ok(())
        }).unwrap();
        let expected: Vec<_> = values.iter().enumerate()
            .flat_map(|(i, (text, n))| [(format!("l.{i}.t"), text.clone()), (format!("l.{i}.n.0"), n.to_string())]).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn plain_numbers_are_the_same_numbers(text in "-?(0|[1-9][0-9]{0,12})(\\.[0-9]{1,12})?([eE][+-]?[0-9])?") {
        let plain = plain(&text);
        prop_assert_eq!(plain.parse::<f64>().unwrap(), text.parse::<f64>().unwrap());
        let zeros = plain.contains('.') && plain.ends_with('0') || plain.trim_start_matches('-').starts_with("00") || plain == "-0";
        prop_assert!(!zeros && !plain.contains(['e', 'E', '+']), "{}", plain);
    }

    #[test]
    fn floats_keep_fifteen_digits(value in any::<f64>().prop_filter("usual", |v| v.is_finite() && (1e-20..1e20).contains(&v.abs()))) {
        let text = float(value);
        let back: f64 = text.parse().unwrap();
        prop_assert!((back - value).abs() <= value.abs() * 1e-14, "{} {}", value, text);
        prop_assert!(!text.contains('e'));
    }
}

#[test]
fn numbers_are_written_plainly() {
    let plains = [
        ("1.50", "1.5"),
        ("2024.0", "2024"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0.050", "0.05"),
        ("1e3", "1000"),
        ("12.5E-3", "0.0125"),
        ("-1.25e1", "-12.5"),
        ("123456789012345678901", "123456789012345678901"),
        ("1e41", "1e41"),
        ("", ""),
        ("1.2.3", "1.2.3"),
        ("NaN", "NaN"),
    ];
    plains.into_iter().for_each(|(text, expected)| assert_eq!(plain(text), expected));
    assert_eq!(
        [0.1 + 0.2, 85.0, -2.5, 1e-7, 9007199254740992.0, 1e16].map(float),
        ["0.3", "85", "-2.5", "0.0000001", "9007199254740992", "10000000000000000"]
    );
    assert_eq!([0.1f32, 16777216.0, -2.5].map(float32), ["0.1", "16777216", "-2.5"]);
    assert_eq!(moment(-1, 1).unwrap(), "1969-12-31");
    assert_eq!(moment(86_400_000 + 3_600_500, 86_400_000).unwrap(), "1970-01-02T01:00:00.5");
    assert_eq!((moment(2_932_896, 1), moment(2_932_897, 1)), (Some("9999-12-31".into()), None));
    assert_eq!(time(86_399, 86_400), "23:59:59");
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let fields: Vec<Field> = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|c| c.1).collect()).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn strings(values: &[&str]) -> ArrayRef {
    Arc::new(values.iter().map(|v| (!v.is_empty()).then_some(*v)).collect::<StringArray>())
}

#[test]
fn parquet_gives_the_same_lake_as_text() {
    let header = "school_year,student_id,education_level,gender,race_ethnicity,birth_date,cohort_year,homeless,migrant\n";
    let csv = format!(
        "{header}2024,007,secondary,F,white,2008-02-29,2026,Y,N\n2024,8,secondary,M,asian,,,,\n2023,9,middle,X,white,1969-12-31,,N,Y\n"
    );
    let (_, expected) = loaded("student.csv", csv.as_bytes());
    let days = [Some(13_938), None, Some(-1)];
    let levels: DictionaryArray<Int32Type> = ["secondary", "secondary", "middle"].into_iter().collect();
    let booleans: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]));
    let flags: ArrayRef = Arc::new(Int8Array::from(vec![Some(0), None, Some(1)]));
    let dates: [ArrayRef; 4] = [
        Arc::new(Date32Array::from(days.to_vec())),
        Arc::new(TimestampMicrosecondArray::from_iter(days.map(|d| d.map(|d| i64::from(d) * 86_400_000_000)))),
        Arc::new(TimestampMillisecondArray::from_iter(days.map(|d| d.map(|d| i64::from(d) * 86_400_000))).with_timezone("UTC")),
        strings(&["2008-02-29", "", "1969-12-31"]),
    ];
    let years: [ArrayRef; 4] = [
        Arc::new(Int32Array::from(vec![2024, 2024, 2023])),
        Arc::new(UInt16Array::from(vec![2024, 2024, 2023])),
        Arc::new(Float64Array::from(vec![2024.0, 2024.0, 2023.0])),
        Arc::new(LargeStringArray::from(vec!["2024", "2024", "2023"])),
    ];
    for (dates, years) in dates.into_iter().zip(years) {
        let note = Arc::new(StructArray::from(vec![(
            Arc::new(Field::new("x", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![1, 2, 3])) as ArrayRef,
        )]));
        let bytes = parquet(vec![
            ("Student_ID", strings(&["007", "8", "9"])),
            ("note", note),
            ("race_ethnicity", Arc::new(BinaryArray::from(vec![b"white".as_slice(), b"asian", b"WHITE"]))),
            ("gender", Arc::new(StringViewArray::from(vec!["F", "M", "X"]))),
            ("education_level", Arc::new(levels.clone())),
            ("school_year", years),
            ("birth_date", dates),
            ("cohort_year", Arc::new(Int64Array::from(vec![Some(2026), None, None]))),
            ("homeless", booleans.clone()),
            ("migrant", flags.clone()),
        ]);
        let (_place, outcome) = loaded("student.parquet", &bytes);
        assert_eq!(rejects(&outcome), []);
        assert_eq!(contents(&outcome.load.files), contents(&expected.load.files));
        let input = &outcome.load.inputs[0];
        assert_eq!(input.unknown_columns, ["note"]);
        assert_eq!((input.bytes, input.blake3.clone()), (bytes.len() as u64, blake3::hash(&bytes).to_hex().to_string()));
    }
}

const WRITE: &str = r#"
import sys, datetime as d, decimal, pyarrow as pa, pyarrow.parquet as q
days = [d.date(2008, 2, 29), None, d.date(1969, 12, 31)]
level = pa.array(["secondary", "secondary", "middle"])
def write(name, birth, year, level, **how):
    t = pa.table({"school_year": year, "student_id": ["007", "8", "9"], "education_level": level, "gender": pa.array(["F", "M", "X"], pa.large_string()),
        "race_ethnicity": ["white", "asian", "white"], "birth_date": birth, "cohort_year": pa.array([decimal.Decimal("2026.00"), None, None]),
        "homeless": pa.array([True, None, False]), "migrant": ["N", "", "y"]})
    q.write_table(t, f"{sys.argv[1]}/{name}.parquet", **how)
years = pa.array([2024, 2024, 2023], pa.int16())
write("gzip", pa.array(days), years, level.dictionary_encode(), compression="gzip", data_page_version="2.0", use_dictionary=False)
write("lz4", pa.array(days, pa.date64()), years.cast(pa.float32()), level, compression="lz4", version="1.0")
write("ns", pa.array(days, pa.date32()).cast(pa.timestamp("ns")), years.cast(pa.uint64()), level, compression="zstd", store_schema=False)
write("int96", pa.array(days).cast(pa.timestamp("us")), years.cast(pa.string()), level, compression="none", use_deprecated_int96_timestamps=True)
write("brotli", pa.array(days), years, level, compression="brotli")
"#;

#[test]
fn parquet_of_another_program_is_read() {
    let Some(python) = crate::support::python("pyarrow") else { return };
    let folder = tempfile::tempdir().unwrap();
    let said = crate::support::answer(std::process::Command::new(python).args(["-c", WRITE]).arg(folder.path()));
    assert_eq!(said.code, 0, "{}", said.err);
    let header = "school_year,student_id,education_level,gender,race_ethnicity,birth_date,cohort_year,homeless,migrant\n";
    let csv = format!(
        "{header}2024,007,secondary,F,white,2008-02-29,2026,Y,N\n2024,8,secondary,M,asian,,,,\n2023,9,middle,X,white,1969-12-31,,N,Y\n"
    );
    let (_, expected) = loaded("student.csv", csv.as_bytes());
    let file = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    for name in ["gzip", "lz4", "ns", "int96"] {
        let (_place, outcome) = loaded("student.parquet", &file(&format!("{name}.parquet")));
        assert_eq!((rejects(&outcome), contents(&outcome.load.files)), (Vec::new(), contents(&expected.load.files)), "{name}");
    }
    assert!(error("student.parquet", &file("brotli.parquet")).contains("student.parquet: is packed with BROTLI"));
}

#[test]
fn decimals_and_floats_of_parquet_are_exact() {
    let column = |award: ArrayRef| {
        let text = |values: [&str; 3]| strings(&values);
        parquet(vec![
            ("program_year", text(["2024"; 3])),
            ("section", text(["131"; 3])),
            ("recipient_id", text(["A", "B", "C"])),
            ("recipient_name", text(["a"; 3])),
            ("federal_id", text(["1"; 3])),
            ("formula_allocation", award),
            ("final_award", text(["1"; 3])),
            ("consortium_code", text(["0"; 3])),
        ])
    };
    let decimals = Decimal128Array::from(vec![12_345_678_901_250, 500, -10]).with_precision_and_scale(20, 3).unwrap();
    let awards: [ArrayRef; 2] = [Arc::new(decimals), Arc::new(Float64Array::from(vec![12_345_678_901.25, 0.1 + 0.4, -0.01]))];
    for award in awards {
        let (place, outcome) = loaded("subaward.parquet", &column(award));
        assert_eq!(place.column(&outcome.load, "subaward", "formula_allocation"), ["12345678901.25", "0.50", "-0.01"]);
    }
    let bad: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN, 1e300, 0.125]));
    assert_eq!(brief(&loaded("subaward.parquet", &column(bad)).1), owned(&[2, 3, 4].map(|line| (line, "formula_allocation", "type"))));
}

#[test]
fn rows_of_parquet_are_rejected_by_their_number() {
    let bytes = parquet(vec![
        ("school_year", strings(&["2024"; 5])),
        ("student_id", strings(&["1", "2", "3\0", "4", ""])),
        ("education_level", strings(&["secondary"; 5])),
        ("gender", strings(&["F", "Q", "F", "F", "F"])),
        ("race_ethnicity", strings(&["white"; 5])),
        ("birth_date", Arc::new(TimestampMillisecondArray::from(vec![0, 0, 0, 3_600_000, 0]))),
    ]);
    let (place, outcome) = loaded("student.parquet", &bytes);
    assert_eq!(brief(&outcome), owned(&[(3, "gender", "code"), (4, "", "type"), (5, "birth_date", "type"), (6, "student_id", "required")]));
    assert_eq!(rejects(&outcome)[2].text, "1970-01-01T01:00:00");
    assert_eq!(place.column(&outcome.load, "student", "student_id"), ["1"]);
}

/// A text that is there many times takes memory once, and one that is too long is rejected whatever its column.
#[test]
fn long_texts_of_parquet_are_rejected() {
    let long = "é".repeat(1 << 20);
    let most = "é".repeat(32_767);
    let names: Vec<&str> = [[long.as_str(); 5].as_slice(), &[&most], &["x"; 1994]].concat();
    let ids: Vec<String> = (0..2000).map(|i| format!("P{i}")).collect();
    let bytes = parquet(vec![
        ("school_year", strings(&["2024"; 2000])),
        ("program_id", strings(&ids.iter().map(String::as_str).collect::<Vec<_>>())),
        ("institution_id", strings(&["S"; 2000])),
        ("program_name", strings(&names)),
        ("cip_code", strings(&["520101"; 2000])),
        ("approval", strings(&["approved"; 2000])),
    ]);
    let (place, outcome) = loaded("program.parquet", &bytes);
    assert_eq!(brief(&outcome), owned(&[2, 3, 4, 5, 6].map(|line| (line, "program_name", "range"))));
    let accepted = place.column(&outcome.load, "program", "program_name");
    assert_eq!((accepted.len(), accepted.iter().filter(|name| **name == most).count()), (1995, 1));
}

/// A program table with these names, in which texts may repeat what begins those before.
fn repeating(names: &[&str]) -> Vec<u8> {
    let ids: Vec<String> = (0..names.len()).map(|i| format!("P{i}")).collect();
    let same = |text: &'static str| strings(&vec![text; names.len()]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("school_year", same("2024")),
        ("program_id", strings(&ids.iter().map(String::as_str).collect::<Vec<_>>())),
        ("institution_id", same("S")),
        ("program_name", strings(names)),
        ("cip_code", same("520101")),
        ("approval", same("approved")),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_data_page_size_limit(64 << 20)
        .set_column_dictionary_enabled("program_name".into(), false)
        .set_column_encoding("program_name".into(), Encoding::DELTA_BYTE_ARRAY)
        .set_statistics_enabled(EnabledStatistics::None);
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// A text may be as long as its page, though it takes a few bytes of it: so that many rows of a small file would take all memory.
#[test]
fn texts_that_repeat_those_before_are_read_within_limits() {
    let names: Vec<String> = (0..1000).map(|i| format!("A program with a name that begins as others do {}", i % 7)).collect();
    let (place, outcome) = loaded("program.parquet", &repeating(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    let mut expected: Vec<(String, String)> = names.iter().enumerate().map(|(i, name)| (format!("P{i}"), name.clone())).collect();
    expected.sort();
    let [ids, read] = ["program_id", "program_name"].map(|field| place.column(&outcome.load, "program", field));
    let mut read: Vec<(String, String)> = ids.into_iter().zip(read).collect();
    read.sort();
    assert_eq!(read, expected);
    let long = "x".repeat((2 << 20) + 1);
    let said = error("program.parquet", &repeating(&[long.as_str(); 300]));
    assert!(said.contains("program.parquet: ") && said.contains("at most 2097152 are read"), "{said}");
}

/// Each way of writing differences, in pages of both versions, with and without nulls, over several blocks and pages.
#[test]
fn values_that_are_packed_as_differences_are_read() {
    const ROWS: i32 = 5000;
    let hours = |i: i32| (i % 3 > 0).then_some(i * 7 % 1000);
    let day = |i: i32| 17_000 + i % 900;
    let date = |i: i32| array_value_to_string(&Date32Array::from(vec![day(i)]), 0).unwrap();
    let rows: String = (0..ROWS)
        .map(|i| format!("{},C{i:05},{},Y,{}\n", i * 13 % ROWS, date(i), hours(i).map(|h| format!("P{h}")).unwrap_or_default()))
        .collect();
    let student: String = (0..ROWS).map(|i| format!("2020,{i},secondary,F,white\n")).collect();
    let program: String = (0..1000).map(|i| format!("2000,P{i},S,Name,520101,approved\n")).collect();
    let with = |name: &str, content: &[u8]| {
        let place = School::with(&[("student.csv", &format!("{STUDENT}{student}")), ("program.csv", &format!("{PROGRAM}{program}"))]);
        place.file(name, content);
        let outcome = place.ingest();
        assert_eq!(rejects(&outcome), []);
        contents(&outcome.load.files)
    };
    let expected = with("credential.csv", format!("student_id,credential_code,earned_on,recognized,program_id\n{rows}").as_bytes());
    let columns: [(&str, ArrayRef); 5] = [
        ("student_id", Arc::new(Int64Array::from_iter_values((0..ROWS).map(|i| i64::from(i * 13 % ROWS))))),
        ("credential_code", Arc::new(StringArray::from_iter_values((0..ROWS).map(|i| format!("C{i:05}"))))),
        ("earned_on", Arc::new(Date32Array::from_iter_values((0..ROWS).map(day)))),
        ("recognized", Arc::new(BooleanArray::from(vec![true; ROWS as usize]))),
        ("program_id", Arc::new((0..ROWS).map(|i| hours(i).map(|h| format!("P{h}"))).collect::<StringArray>())),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for texts in [Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY] {
            let properties = WriterProperties::builder()
                .set_writer_version(version)
                .set_compression(Compression::SNAPPY)
                .set_dictionary_enabled(false)
                .set_data_page_row_count_limit(1500)
                .set_write_batch_size(500)
                .set_column_encoding("student_id".into(), Encoding::DELTA_BINARY_PACKED)
                .set_column_encoding("earned_on".into(), Encoding::DELTA_BINARY_PACKED)
                .set_column_encoding("credential_code".into(), texts)
                .set_column_encoding("program_id".into(), texts);
            let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.build())).unwrap();
            writer.write(&batch).unwrap();
            assert!(with("credential.parquet", &writer.into_inner().unwrap()) == expected, "{version:?} {texts:?}");
        }
    }
}

/// The library makes room for what a page says that it has.
#[test]
fn a_page_says_no_more_than_the_file_can_have() {
    let said = |name: &str| {
        let said = error("program.parquet", &std::fs::read(home().join("tests/fuzz/corpus/parquet").join(name)).unwrap());
        assert!(said.starts_with("program.parquet: is no Parquet file, or a damaged one ("), "{said}");
        said
    };
    let page = said("page_that_says_it_has_1900_MB");
    assert!(page.contains("a page has 1900000000 bytes; at most 536870912 are read"), "{page}");
    let values = said("page_that_says_it_has_a_billion_values");
    assert!(values.contains("a page says that it has more values than it can have"), "{values}");
}

#[test]
fn numbers_packed_as_differences_are_passed_over() {
    // A block of 128 values in 4 parts of 32; 40 values, the first 5 (10 in the file); least difference 0; 3 and 1 bits for each of the parts
    // with values: 39 differences are in the first two, of 12 and 4 bytes.
    let head = [0x80, 0x01, 4, 40, 10, 0, 3, 1, 99, 99];
    let bytes = Bytes::from([&[7], head.as_slice(), &[0; 16], &[8, 8]].concat());
    let numbers = |bytes: &Bytes, at: usize, most: u64| Packed::read(bytes, at, most).and_then(|p| Ok((p.count, p.end()?)));
    assert_eq!(numbers(&bytes, 1, 40).unwrap(), (40, 27));
    let said = |bytes: &[u8], most: u64| numbers(&Bytes::copy_from_slice(bytes), 0, most).unwrap_err().to_string();
    assert!(said(&bytes[1..], 39).contains("more values than it can have"));
    assert!(
        said(&bytes[1..26], 40).contains("cut off") && said(&bytes[1..9], 40).contains("cut off") && said(&[0x80], 40).contains("cut off")
    );
    // Blocks of 100; parts of 16; no part.
    assert!(
        [[100, 4], [64, 4], [0, 0]].iter().all(|[block, parts]| said(&[*block, *parts, 40, 10, 0, 0], 40).contains("blocks that are none"))
    );
    // One value, and none, have no block.
    assert_eq!([1, 0].map(|count| numbers(&Bytes::from(vec![0x80, 0x01, 4, count, 10, 9]), 0, 40).unwrap()), [(1, 5), (0, 5)]);
}

#[test]
fn parquet_that_cannot_be_read_says_why() {
    let struct_of = |name: &str| {
        StructArray::new(Fields::from(vec![Field::new(name, DataType::Int32, true)]), vec![Arc::new(Int32Array::from(vec![1]))], None)
    };
    let columns = || -> Vec<(&'static str, ArrayRef)> { PROGRAM.trim().split(',').map(|name| (name, strings(&["1"]))).collect() };
    let mut nested = columns();
    nested[3].1 = Arc::new(struct_of("x"));
    let said = error("program.parquet", &parquet(nested));
    assert!(said.contains("program.parquet: column program_name is of type Struct") && said.contains("expected text, a number"), "{said}");
    let mut fewer = columns();
    fewer.remove(1);
    let said = error("program.parquet", &parquet(fewer));
    assert!(said.contains("required columns are missing: program_id; columns found: school_year, institution_id, program_name"), "{said}");
    let bytes = parquet(columns());
    assert!(error("program.parquet", &bytes[..bytes.len() - 3]).contains("program.parquet: is no Parquet file, or is cut off"));
    assert!(error("program.parquet", b"school_year").contains("is no Parquet file"));
    assert!(error("program.parquet", b"").contains("is no Parquet file"));
    let mut broken = bytes.clone();
    let middle = bytes.len() - 60;
    broken[middle..middle + 20].fill(0xFF);
    assert!(error("program.parquet", &broken).contains("program.parquet: is no Parquet file, or a damaged one"));
    let large = [b"PAR1".as_slice(), &[0; 20], &u32::MAX.to_le_bytes(), b"PAR1"].concat();
    assert!(error("program.parquet", &large).contains("its description has 4294967295 bytes; at most"));
}
