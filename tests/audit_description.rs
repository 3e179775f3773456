//! Descriptions of published tables: what they say, and clear errors where they or the tables are wrong.

use perkins::audit::{Description, Frame, PublicTable};
use perkins::published::{Known, Line};

const GOOD: &str = r#"
title = "Small"
source = "a test"
[columns]
cohort = ["year"]
level = "level"
entity = "code"
group = ["group"]
denominator = "students"
numerator = "met"
rate = "rate"
[shown]
hidden = ["", "*"]
decimals = 1
ties = "half_up"
hidden_minimum = 1
[groups]
absent = "zero"
all = ["all"]
within_all = true
[[groups.partition]]
codes = [["F"], ["M"]]
[[sum]]
total = "district"
part = "school"
prefix = 2
"#;

const TABLE: &str = "\
year,level,code,group,students,met,rate
2024,district,0100,all,\"1,040\",520,50.0
2024,district,0100,F,500,,> 95
2024,district,0100,M,540,*,*
2024,school,0101,all,1000,*,50.0
2024,school,0102,all,40,20,50.0
2024,school,0101,F,500,,> 95
2024,school,0101,M,*,,
";

fn read(description: &str, table: &str) -> Result<PublicTable, String> {
    let description = Description::parse("small.toml", description).map_err(|e| e.to_string())?;
    let frame = Frame::csv_from("small.csv", table.as_bytes()).map_err(|e| e.to_string())?;
    PublicTable::read(&description, &frame, None).map_err(|e| e.to_string())
}

#[track_caller]
fn refuses(description: &str, table: &str, pieces: &[&str]) {
    let error = read(description, table).expect_err("no error");
    assert!(pieces.iter().all(|p| error.contains(p)), "{pieces:?} not in: {error}");
}

#[test]
fn a_table_becomes_cells_and_lines() {
    let table = read(GOOD, TABLE).unwrap();
    let cells = &table.published.cells;
    assert_eq!((cells[0].denominator, cells[0].numerator), (Known::Exactly(1040), Known::Exactly(520)));
    // More than 95 % of 500; 49.95 to below 50.05 % of 1000.
    assert_eq!(cells[1].numerator, Known::Between(476, 500));
    assert_eq!(cells[3].numerator, Known::Between(500, 500));
    assert_eq!((cells[6].denominator, cells[6].numerator), (Known::Hidden, Known::Hidden));
    // F of school 0102 has no row, so it is 0. School 0101 has all F of the district.
    let line = |total, parts: &[u32]| Line { total, parts: parts.to_vec() };
    let expected = [line(0, &[3, 4]), line(1, &[5]), line(2, &[6]), line(0, &[1, 2]), line(3, &[5, 6])];
    assert_eq!(table.published.lines, expected);
    assert_eq!(table.published.within, [(1, 0), (2, 0), (5, 3), (6, 3)]);
    assert_eq!(table.label(6), "2024 school 0101 M");
}

#[test]
fn figures_that_do_not_add_up_are_no_line() {
    let table = read(GOOD, &TABLE.replace("0102,all,40,20,50.0", "0102,all,39,20,51.3")).unwrap();
    assert_eq!((table.lines_dropped, table.published.lines.len()), (1, 4));
    assert!(table.notes[0].contains("1 lines left out") && table.notes[0].contains("2024 district 0100 all"), "{:?}", table.notes);
    // Where a missing row says nothing, lines with one are left out too.
    let unknown = read(&GOOD.replace("absent = \"zero\"\n", ""), TABLE).unwrap();
    assert_eq!(unknown.published.lines.len(), 3);
}

#[test]
fn wrong_descriptions_are_refused() {
    refuses("title = 3", TABLE, &["small.toml:1", "invalid type"]);
    refuses(&GOOD.replace("entity = \"code\"", "entty = \"code\""), TABLE, &["small.toml:7", "entty"]);
    refuses(&GOOD.replace("prefix = 2", ""), TABLE, &["small.toml", "sum", "either prefix or column"]);
    refuses(&GOOD.replace("all = [\"all\"]", ""), TABLE, &["groups.all"]);
    refuses(&GOOD.replace("[\"M\"]", "[\"gender\", \"M\"]"), TABLE, &["1 text for each group"]);
    refuses(&GOOD.replace("[[\"F\"], [\"M\"]]", "[[\"F\"], [\"X\"]]"), TABLE, &["small.csv", "row of the group \"X\"", "all, F, M"]);
    refuses(&GOOD.replace("level = \"level\"", ""), TABLE, &["columns.level"]);
    refuses(&GOOD.replace("\"district\"", "\"region\""), TABLE, &["rows of the level \"region\""]);
    refuses(&GOOD.replace("hidden_minimum = 1", "hidden_minimum = 2"), TABLE, &["hidden_minimum 0 or 1"]);
    refuses(&GOOD.replace("rate = \"rate\"", "rate = \"percent\""), TABLE, &["small.csv:1", "\"percent\"", "the columns year, level"]);
    refuses(&(GOOD.to_string() + "[sums]\ntotal = [\"level\", \"code\"]\npart = [\"a\", \"b\"]\n"), TABLE, &["a table of lines"]);
}

#[test]
fn wrong_tables_are_refused() {
    refuses(GOOD, &TABLE.replace("0102,all,40", "0102,all,forty"), &["small.csv:6", "\"students\"", "a whole number", "forty"]);
    refuses(
        GOOD,
        &TABLE.replace("F,500,,> 95\n2024,school,0101,M", "F,500,,95 or so\n2024,school,0101,M"),
        &["small.csv:7", "\"rate\"", "a band"],
    );
    refuses(GOOD, &TABLE.replace("40,20,50.0", "40,41,*"), &["small.csv:6", "at least the numerator"]);
    refuses(GOOD, &TABLE.replace("0102,all,40,20,50.0", "0102,all,3,*,50.0"), &["small.csv:6", "a rate that a numerator has"]);
    // 20 of 40 are 50.0 %.
    refuses(GOOD, &TABLE.replace("40,20,50.0", "40,20,52.5"), &["small.csv:6", "the rate of the shown", "\"52.5\" beside 20"]);
    refuses(GOOD, &TABLE.replace("0101,M", "0101,F"), &["small.csv:8", "one row for each", "line 7"]);
    refuses(GOOD, &TABLE.replace("40,20,50.0", "40,20"), &["small.csv:6", "a CSV row as long"]);
    refuses(GOOD, &TABLE.replace("level,code", "level,level"), &["small.csv:1", "the same name twice"]);
}

/// Concentrators are among participants, students of a cluster among all, and the students of the only cluster are all of them.
#[test]
fn cohorts_within_others() {
    let description = Description::file(&crate::support::home().join("data/audit/public_enrollment_count.toml")).unwrap();
    let rows = "\
report_year,education_level,status,level,entity_id,entity_name,group_kind,group_code,career_cluster,students,suppression
2024,secondary,participant,state,OR,Oregon,all,all,all,100,none
2024,secondary,concentrator,state,OR,Oregon,all,all,all,60,none
2024,secondary,participant,state,OR,Oregon,all,all,health_science,,hidden
2024,secondary,participant,state,OR,Oregon,all,all,finance,80,none
2024,secondary,concentrator,state,OR,Oregon,all,all,finance,,hidden
2024,postsecondary,concentrator,state,OR,Oregon,all,all,finance,50,none
";
    let lines = "report_year,education_level,status,career_cluster,level,entity_id,part_level,part_entity_id\n";
    let frame = |name: &str, text: &str| Frame::csv_from(name, text.as_bytes()).unwrap();
    let table = PublicTable::read(&description, &frame("counts", rows), Some(&frame("line", lines))).unwrap();
    let mut within = table.published.within.clone();
    within.sort_unstable();
    assert_eq!((within, &table.published.same[..]), (vec![(1, 0), (2, 0), (3, 0), (4, 3)], &[(1, 4)][..]));
}

/// Our own tables: lines in a table beside, kinds as partitions, indicators with one cohort.
#[test]
fn our_own_public_tables() {
    let description = Description::file(&crate::support::home().join("data/audit/public_performance.toml")).unwrap();
    let rows = "\
report_year,indicator,level,entity_id,entity_name,group_kind,group_code,numerator,denominator,rate_shown,rate,target,status,suppression
2024,5S1,state,OR,Oregon,all,all,40,100,40.0,40.0,,,none
2024,5S1,district,1,One,all,all,,,*,,,,hidden
2024,5S1,district,2,Two,all,all,,,*,,,,hidden
2024,5S2,state,OR,Oregon,all,all,50,100,50.0,50.0,,,none
2024,5S2,district,1,One,all,all,,,*,,,,hidden
2024,5S2,district,2,Two,all,all,,70,> 95,,,,band
2024,5S1,state,OR,Oregon,gender,F,20,60,33.3,33.3,,,none
2024,5S1,state,OR,Oregon,gender,M,20,40,50.0,50.0,,,none
";
    let lines =
        "report_year,indicator,level,entity_id,part_level,part_entity_id\n2024,5S1,state,OR,district,1\n2024,5S1,state,OR,district,2\n";
    let frame = |name: &str, text: &str| Frame::csv_from(name, text.as_bytes()).unwrap();
    let table = PublicTable::read(&description, &frame("public_performance", rows), Some(&frame("public_line", lines))).unwrap();
    let published = &table.published;
    assert_eq!(published.lines, [Line { total: 0, parts: vec![1, 2] }, Line { total: 0, parts: vec![6, 7] }]);
    assert_eq!(published.same, [(0, 3), (1, 4), (2, 5)]);
    assert_eq!(published.cells[5].numerator, Known::Between(67, 70));
    // 5S2 shows what 5S1 hides: 70, and so 30.
    let found = perkins::audit::attack(published, 1);
    let denominators = found.findings.iter().filter(|f| f.count.field == perkins::published::Field::Denominator);
    let values: Vec<(u32, i64)> = denominators.map(|f| (f.count.cell, f.value)).collect();
    assert_eq!(values, [(1, 30), (2, 70), (4, 30)]);
}
