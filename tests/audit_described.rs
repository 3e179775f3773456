//! Published tables of others and of our own, by their descriptions.

use crate::audit_brute::certificate;
use crate::support::{home, rows_of, skipped};
use perkins::audit::{Description, Frame, PublicTable, Relation, attack};
use perkins::published::Field;
use std::collections::BTreeMap;

fn description(name: &str) -> Description {
    Description::file(&home().join("data/audit").join(name)).unwrap()
}

/// Massachusetts, 2021: hidden schools that anybody can compute. The numbers were found by a separate program (sums of the rows by
/// district and group).
#[test]
fn massachusetts_college_enrollment() {
    let file = home().join("../shared/reference/ma_college_enrollment_2021.csv");
    if !file.exists() {
        return skipped(&format!("no {}", file.display()));
    }
    let frame = Frame::csv(&file).unwrap();
    let table = PublicTable::read(&description("ma_college_enrollment.toml"), &frame, None).unwrap();
    let published = &table.published;
    assert_eq!((published.cells.len(), published.lines.len(), table.lines_dropped), (11_994, 3_197, 1_331), "{:?}", table.notes);
    let found = attack(published, 2);
    assert_eq!(certificate(published, &found), Ok(()));
    let values: BTreeMap<u32, i64> = found.findings.iter().map(|f| (f.count.cell, f.value)).collect();
    assert!(found.findings.iter().all(|f| f.count.field == Field::Numerator && matches!(f.because[..], [Relation::Line(..)])));
    let (expected, alone) = subtracted(&rows_of(&file));
    assert_eq!((alone, expected.len()), (64, 74));
    assert_eq!(values, expected);
    let told = found.findings[0].told(published, &|c| table.label(c)).join(": ");
    assert!(told.contains("hidden, 0 to") && told.contains("district"), "{told}");
}

/// What a person can subtract, by row: districts whose schools have all their graduates, with a shown number, and either one school without
/// one, or several of whom none or all attend. Also how many are of the first kind.
fn subtracted(rows: &[BTreeMap<String, String>]) -> (BTreeMap<u32, i64>, usize) {
    let (d, n) = ("High School Graduates (#)", "Attending Coll./Univ. (#)");
    let number = |r: &BTreeMap<String, String>, c: &str| r[c].parse::<i64>().ok();
    let key = |r: &BTreeMap<String, String>| (r["capture_period"].clone(), r["entity_code"][..4].to_string(), r["breakdown"].clone());
    let mut schools: BTreeMap<_, Vec<(usize, &BTreeMap<String, String>)>> = BTreeMap::new();
    rows.iter().enumerate().filter(|(_, r)| r["level"] == "school").for_each(|r| schools.entry(key(r.1)).or_default().push(r));
    let (mut values, mut alone) = (BTreeMap::new(), 0);
    for district in rows.iter().filter(|r| r["level"] == "district") {
        let own = schools.get(&key(district)).map_or(&[][..], |s| &s[..]);
        let sum: i64 = own.iter().filter_map(|(_, r)| number(r, d)).sum();
        let (Some(total), true) = (number(district, n), Some(sum) == number(district, d)) else { continue };
        let rest = total - own.iter().filter_map(|(_, r)| number(r, n)).sum::<i64>();
        let open: Vec<_> = own.iter().filter(|(_, r)| number(r, n).is_none()).collect();
        let graduates: i64 = open.iter().filter_map(|(_, r)| number(r, d)).sum();
        alone += usize::from(open.len() == 1);
        for (i, r) in &open {
            if open.len() == 1 || rest == 0 || rest == graduates {
                values.insert(*i as u32, if rest == graduates { number(r, d).unwrap() } else { rest });
            }
        }
    }
    (values, alone)
}
