//! What a run makes public: nothing that is not safe, nothing that is not true, and nothing else.

use crate::support::{Place, Row, files, home, rows_of, text};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A place with two report years of a small state made public. Small groups, bounds and complements all occur.
fn released() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let place = synth(Place::shared("released"), 700, 5);
        place.works(&["all", "raw", "--jurisdiction", "oregon", "--report-years", "2023..2024"]);
        place
    })
}

fn synth(place: Place, students: usize, seed: usize) -> Place {
    let (students, seed) = (students.to_string(), seed.to_string());
    place.works(&["synth", "--students", &students, "--years", "2019..2024", "--seed", &seed, "--jurisdiction", "oregon", "--out", "raw"]);
    place
}

fn raw(students: usize) -> Place {
    synth(Place::new(), students, 5)
}

fn public(place: &Place) -> PathBuf {
    place.path().join("public")
}

/// The manifest of the current release.
fn release(place: &Place) -> serde_json::Value {
    let commits = files(&public(place).join("_commits"));
    let commit: serde_json::Value = serde_json::from_slice(commits.values().next_back().expect("no commit")).unwrap();
    let path = commit["runs"][commit["jurisdiction"].as_str().unwrap()]["manifest"].as_str().unwrap();
    serde_json::from_slice(&std::fs::read(public(place).join(path)).unwrap()).unwrap()
}

/// The rows of a public table, with their report year, read as any program would.
fn table(place: &Place, name: &str) -> Vec<Row> {
    let release = release(place);
    let of_table = release["files"].as_array().unwrap().iter().filter(|f| f["table"] == name);
    let read = |file: &serde_json::Value| -> Vec<Row> {
        let year = file["report_year"].to_string();
        let rows = parquet(&public(place).join(file["path"].as_str().unwrap()));
        rows.into_iter()
            .map(|mut r| {
                r.insert("report_year".into(), year.clone());
                r
            })
            .collect()
    };
    of_table.flat_map(read).collect()
}

fn parquet(path: &Path) -> Vec<Row> {
    use arrow::util::display::array_value_to_string;
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).unwrap());
    let mut rows = Vec::new();
    for batch in reader.unwrap().build().unwrap() {
        let batch = batch.unwrap();
        let names: Vec<String> = batch.schema().fields().iter().map(|f| f.name().clone()).collect();
        let value = |i: usize, c: usize| array_value_to_string(batch.column(c), i).unwrap();
        rows.extend((0..batch.num_rows()).map(|i| names.iter().enumerate().map(|(c, n)| (n.clone(), value(i, c))).collect::<Row>()));
    }
    rows
}

const KEY: [&str; 6] = ["report_year", "indicator", "level", "entity_id", "group_kind", "group_code"];

fn key(row: &Row) -> Vec<String> {
    KEY.iter().map(|c| row[*c].clone()).collect()
}

/// `performance` of the run by key: numerator and denominator.
fn truth(place: &Place) -> BTreeMap<Vec<String>, (i64, i64)> {
    let rows = place.query("SELECT * FROM performance");
    rows.iter().map(|r| (key(r), (r["numerator"].parse().unwrap(), r["denominator"].parse().unwrap()))).collect()
}

#[test]
fn what_is_shown_is_true_and_what_is_small_is_hidden() {
    let place = released();
    let truth = truth(place);
    let rows = table(place, "public_performance");
    assert_eq!(rows.len(), truth.len());
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        let (n, d) = truth[&key(row)];
        let shown = row["rate_shown"].as_str();
        *seen.entry(row["suppression"].as_str()).or_default() += 1;
        // Oregon: below 7 students nothing is shown (guide, Appendix D).
        if d < 7 {
            assert_eq!((row["denominator"].as_str(), row["numerator"].as_str(), shown), ("", "", "*"), "{row:?}");
        }
        match row["suppression"].as_str() {
            "none" => {
                assert_eq!((row["numerator"].parse(), row["denominator"].parse()), (Ok(n), Ok(d)), "{row:?}");
                // One decimal, half up: the whole number of tenths nearest to 1000 n / d.
                let tenths = (2000 * n + d) / (2 * d);
                assert_eq!(shown, format!("{}.{}", tenths / 10, tenths % 10), "{row:?}");
                assert_eq!(row["rate"].parse::<f64>().unwrap(), tenths as f64 / 10.0);
            }
            "band" => {
                assert_eq!((row["numerator"].as_str(), row["rate"].as_str()), ("", ""));
                assert_eq!(row["denominator"].parse(), Ok(d));
                let (sign, bound) = shown.split_once(' ').unwrap();
                let bound: i64 = bound.parse().unwrap();
                let holds = |n: i64| if sign == ">" { 100 * n > bound * d } else { 100 * n < bound * d };
                assert!(holds(n), "{row:?} of {n}");
                assert!((0..=d).filter(|&n| holds(n)).count() >= 3, "a bound that leaves fewer than three numerators: {row:?}");
            }
            _ => assert_eq!((row["numerator"].as_str(), row["rate"].as_str(), shown, row["status"].as_str()), ("", "", "*", ""), "{row:?}"),
        }
    }
    assert!(["none", "band", "hidden"].iter().all(|s| seen.get(s).is_some_and(|n| *n > 50)), "{seen:?}");
}

#[test]
fn the_reason_is_restricted_and_true() {
    let place = released();
    let truth = truth(place);
    let folder = place.restricted().join("releases").join(release(place)["release_id"].as_str().unwrap());
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for year in ["2023", "2024"] {
        for mut row in parquet(&folder.join(format!("disclosure/report_year={year}/disclosure-00000.parquet"))) {
            row.insert("report_year".into(), year.into());
            let (_, d) = truth[&key(&row)];
            assert_eq!(row["reason"] == "small", (1..7).contains(&d), "{row:?}");
            *reasons.entry(row["reason"].clone()).or_default() += 1;
        }
    }
    assert!(["small", "complement", "secondary", "band"].iter().all(|r| reasons.contains_key(*r)), "{reasons:?}");
    let hidden = table(place, "public_performance").iter().filter(|r| r["suppression"] != "none").count();
    assert_eq!(reasons.values().sum::<usize>(), hidden);
    assert!(table(place, "public_performance").iter().all(|r| !r.contains_key("reason")));
}

#[test]
fn public_gaps_are_made_of_public_figures() {
    let place = released();
    let shown: BTreeSet<Vec<String>> = table(place, "public_performance").iter().filter(|r| r["suppression"] == "none").map(key).collect();
    let gaps: BTreeMap<Vec<String>, Row> = place.query("SELECT * FROM gap").into_iter().map(|r| (key(&r), r)).collect();
    let (mut whole, mut without_change) = (0, 0);
    let rows = table(place, "public_gap");
    assert_eq!(rows.len(), gaps.len());
    for row in rows {
        let of = |year: i32, group: [&str; 2]| {
            let mut key = key(&row);
            key[0] = (key[0].parse::<i32>().unwrap() + year).to_string();
            (key[4], key[5]) = (group[0].into(), group[1].into());
            shown.contains(&key)
        };
        let own = [row["group_kind"].as_str(), row["group_code"].as_str()];
        let (now, before) = (of(0, own) && of(0, ["all", "all"]), of(-1, own) && of(-1, ["all", "all"]));
        assert_eq!(row["suppression"] == "none", now, "{row:?}");
        assert_eq!(row["gap_to_all"].is_empty(), !now, "{row:?}");
        if !row["change"].is_empty() {
            assert!(now && before, "a change tells the rate of the year before: {row:?}");
            whole += 1;
        } else if now && row["report_year"] == "2024" && !gaps[&key(&row)]["change"].is_empty() {
            assert!(!before, "{row:?}");
            without_change += 1;
        }
    }
    assert!(whole > 10 && without_change > 10, "{whole} {without_change}");
}

/// Values of students in the raw files: ids and names.
fn of_students(place: &Place) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for path in files(&place.raw()).into_keys() {
        let rows = rows_of(&place.raw().join(path));
        for column in ["student_id", "first_name", "last_name", "birth_date"] {
            values.extend(rows.iter().filter_map(|r| r.get(column).cloned()));
        }
    }
    values.retain(|v| v.chars().count() > 3);
    values
}

/// Everything that a public file says: its bytes, and for Parquet the values of its pages and the statistics of its footer.
fn says(path: &Path) -> String {
    let mut said = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    if path.extension().is_some_and(|e| e == "parquet") {
        use parquet::file::reader::FileReader;
        let reader = parquet::file::reader::SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
        said += &format!("{:?}", reader.metadata());
        parquet(path).iter().for_each(|r| said += &format!("\n{}", r.values().cloned().collect::<Vec<_>>().join("\t")));
    }
    said
}

#[test]
fn nothing_of_a_student_is_under_the_public_root() {
    let place = released();
    let values = of_students(place);
    assert!(values.len() > 700);
    let mut looked_at = BTreeSet::new();
    for path in files(&public(place)).into_keys() {
        let path = public(place).join(path);
        let said = says(&path);
        let words = said.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|w| w.len() > 3);
        let leaked: Vec<&str> = words.filter(|w| values.contains(*w)).take(3).collect();
        assert!(leaked.is_empty(), "{}: {leaked:?}", path.display());
        looked_at.insert(path.extension().unwrap_or_default().to_string_lossy().into_owned());
    }
    assert!(looked_at.contains("parquet") && looked_at.contains("json"), "{looked_at:?}");
    // The scan would find one: the restricted tables are full of them.
    let detail = files(&place.restricted()).into_keys().find(|p| p.to_string_lossy().contains("/detail/")).unwrap();
    let said = says(&place.restricted().join(detail));
    assert!(said.split(|c: char| !c.is_alphanumeric() && c != '-').any(|w| values.contains(w)));
}

#[test]
fn statistics_and_pages_hold_only_what_is_shown() {
    use parquet::file::reader::FileReader;
    let place = released();
    let release = release(place);
    let figures = release["files"].as_array().unwrap().iter().filter(|f| f["table"] == "public_performance");
    for file in figures {
        let path = public(place).join(file["path"].as_str().unwrap());
        let shown: BTreeSet<i64> = parquet(&path).iter().filter_map(|r| r["denominator"].parse().ok()).collect();
        let reader = parquet::file::reader::SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        for group in reader.metadata().row_groups() {
            let column = group.columns().iter().find(|c| c.column_path().string() == "denominator").unwrap();
            if let Some(parquet::file::statistics::Statistics::Int64(of)) = column.statistics() {
                assert!(of.min_opt().iter().chain(&of.max_opt()).all(|v| shown.contains(v)), "{of:?}");
            }
        }
        assert!(!shown.is_empty() && shown.iter().all(|d| *d >= 7), "{shown:?}");
    }
}

#[test]
fn folders_and_files_belong_to_their_owner() {
    let place = released();
    for root in [place.restricted(), public(place)] {
        for path in files(&root).into_keys() {
            let path = root.join(path);
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
            assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700, "{}", path.display());
        }
    }
}

#[test]
fn the_audit_of_a_release_is_clean_and_that_of_rules_alone_is_not() {
    let place = released();
    let said = place.works(&["audit"]);
    assert!(said.contains("public_performance") && said.contains("none of them can be computed"), "{said}");
    let other = raw(700);
    let said = other.works(&["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024", "--policy", "rule"]);
    assert!(said.contains("POLICY RULE LEAVES OPEN"), "{said}");
    let audit = other.perkins(&["audit", "--most", "3"]);
    audit.refuses(1, &["findings"]);
    assert!(audit.out.contains("can be computed") && audit.out.contains("and ") && audit.out.lines().count() < 60, "{}", audit.out);
    // Only the two rules: every figure of 7 students or more shows its denominator.
    let rows = table(&other, "public_performance");
    let truth = truth(&other);
    assert!(rows.iter().all(|r| r["denominator"].is_empty() == (truth[&key(r)].1 < 7)));
    assert!(rows.iter().filter(|r| r["suppression"] == "band").all(|r| ["> 95", "< 5"].contains(&r["rate_shown"].as_str())));
}

#[test]
fn a_table_of_others_is_audited_by_its_description() {
    let place = Place::new();
    // A district's two schools: one number is hidden, and the district's gives it away (20 − 12 = 8).
    place.file("t.csv", "level,code,group,students,met\ndistrict,01,all,40,20\nschool,011,all,25,12\nschool,012,all,15,\n");
    let describe = "title = \"t\"\nsource = \"made up\"\n[columns]\nlevel = \"level\"\nentity = \"code\"\ngroup = [\"group\"]\ndenominator = \"students\"\n\
                    numerator = \"met\"\n[shown]\nhidden = [\"\"]\n[[sum]]\ntotal = \"district\"\npart = \"school\"\nprefix = 2\n";
    place.file("t.toml", describe);
    let audit = place.perkins(&["audit", "t.csv", "--describe", "t.toml"]);
    audit.refuses(1, &["one finding"]);
    assert!(audit.out.contains("012") && audit.out.contains('8'), "{}", audit.out);
    place.perkins(&["audit", "t.csv"]).refuses(3, &["--describe"]);
    place.file("bad.toml", &describe.replace("students", "pupils"));
    place.perkins(&["audit", "t.csv", "--describe", "bad.toml"]).refuses(1, &["pupils"]);
    place.perkins(&["audit"]).refuses(10, &["nothing is published", "perkins run", "--public"]);
}

#[test]
fn a_release_is_made_once_and_earlier_ones_hold() {
    let place = raw(500);
    let run = ["run", "--jurisdiction", "oregon", "--report-year", "2024"];
    place.works(&["ingest", "raw"]);
    place.works(&run);
    let commits = files(&public(&place).join("_commits"));
    let said = place.works(&run);
    assert!(said.contains("public: unchanged"), "{said}");
    assert_eq!(files(&public(&place).join("_commits")), commits);
    let before: BTreeMap<Vec<String>, Row> = table(&place, "public_performance").into_iter().map(|r| (key(&r), r)).collect();
    // The same figures once more: what was shown is shown, what was hidden is hidden.
    place.works(&[&run[..], &["--again"]].concat());
    let after: BTreeMap<Vec<String>, Row> = table(&place, "public_performance").into_iter().map(|r| (key(&r), r)).collect();
    assert_eq!(before, after);
    assert_eq!(files(&public(&place).join("_commits")).len(), 2);
}

/// What was shown must be known to publish more, so nothing goes on over a damaged public file, and nobody is told that all is well.
#[test]
fn a_damaged_public_file_is_said_by_the_next_night() {
    let place = raw(300);
    let night = ["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024", "--no-report"];
    place.works(&night);
    let path = release(&place)["files"].as_array().unwrap().iter().find(|f| f["table"] == "public_performance").unwrap()["path"].clone();
    let file = public(&place).join(path.as_str().unwrap());
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    for again in [&[][..], &["--again"]] {
        place.perkins(&[&night[..], again].concat()).refuses(1, &[path.as_str().unwrap(), "damaged", "restore it from a copy"]);
    }
    std::fs::write(&file, &whole).unwrap();
    place.works(&night);
    place.works(&["verify", "--read-data"]);
}

#[test]
fn verify_looks_at_what_is_public_and_at_its_evidence() {
    let place = raw(300);
    place.works(&["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024", "--no-report"]);
    place.works(&["verify", "--read-data"]);
    let id = release(&place)["release_id"].as_str().unwrap().to_string();
    let table = format!("runs/{id}/public_performance/report_year=2024/public_performance-00000.parquet");
    let table = public(&place).join(table);
    let whole = std::fs::read(&table).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    std::fs::write(&table, flipped).unwrap();
    let said = place.perkins(&["verify", "--read-data"]);
    said.refuses(1, &["one finding"]);
    assert!(said.out.contains("public_performance") && said.out.contains("BLAKE3"), "{}", said.out);
    std::fs::write(&table, whole).unwrap();
    std::fs::write(table.with_file_name("more.csv"), "a student").unwrap();
    let said = place.perkins(&["verify"]);
    assert!(said.code == 1 && said.out.contains("more.csv"), "{}", said.out);
    std::fs::remove_file(table.with_file_name("more.csv")).unwrap();
    std::fs::remove_file(place.restricted().join("releases").join(&id).join("manifest.json")).unwrap();
    let said = place.perkins(&["verify"]);
    assert!(said.code == 1 && said.out.contains("releases/"), "{}", said.out);
}

#[test]
fn nothing_is_published_on_request_or_without_the_tables() {
    let place = raw(300);
    place.works(&["ingest", "raw"]);
    place.works(&["run", "--jurisdiction", "oregon", "--no-publish"]);
    assert!(!public(&place).exists());
    let said = place.works(&["run", "--jurisdiction", "oregon", "--table", "gap"]);
    assert!(said.contains("nothing is published") && said.contains("performance"), "{said}");
    assert!(!public(&place).exists());
}

#[test]
fn threads_do_not_matter() {
    let place = released();
    let release = |threads: &str| {
        let other = Place::new();
        crate::support::copy(&place.raw(), &other.raw());
        other.works(&["all", "raw", "--jurisdiction", "oregon", "--report-years", "2023..2024", "--partitions", threads]);
        let tables = files(&public(&other)).into_iter().filter(|(p, _)| p.extension().is_some_and(|e| e == "parquet"));
        let tables: BTreeMap<PathBuf, Vec<u8>> = tables.map(|(p, b)| (p.components().skip(2).collect(), b)).collect();
        assert!(!tables.is_empty(), "{}", text(&other.raw()));
        tables
    };
    assert!(release("1") == release("8"), "the public files differ");
}

#[test]
fn the_certificate_covers_every_hidden_count() {
    let place = released();
    let id = release(place)["release_id"].as_str().unwrap().to_string();
    let folder = place.restricted().join("releases").join(id);
    let packed = std::fs::read(folder.join("certificate-public_performance-2024.ndjson.zst")).unwrap();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(zstd::decode_all(&packed[..]).unwrap()).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let rows: Vec<Row> = table(place, "public_performance").into_iter().filter(|r| r["report_year"] == "2024").collect();
    let mut missing: BTreeSet<(usize, &str)> = BTreeSet::new();
    for (i, row) in rows.iter().enumerate() {
        missing.extend(row["denominator"].is_empty().then_some((i, "denominator")));
        missing.extend(row["numerator"].is_empty().then_some((i, "numerator")));
    }
    assert!(missing.len() > 100);
    for line in lines.iter().filter_map(|l| l["differs"].as_array()).flatten() {
        let field = if line[1] == "denominator" { "denominator" } else { "numerator" };
        missing.remove(&(line[0].as_u64().unwrap() as usize, field));
    }
    assert!(missing.is_empty(), "{} hidden counts without a second table", missing.len());
    assert!(home().join("data/publish/performance.toml").is_file());
}

/// What reads a run's tables reads a release's in the same way.
#[test]
fn a_release_shows_how_to_read_it() {
    let place = released();
    let release = release(place);
    let folder = public(place).join("runs").join(release["release_id"].as_str().unwrap());
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let (views, package): (String, serde_json::Value) = (read("views.sql"), serde_json::from_str(&read("datapackage.json")).unwrap());
    let resources = package["resources"].as_array().unwrap();
    let tables = release["tables"].as_array().unwrap();
    assert_eq!(resources.len(), tables.len());
    for (table, resource) in tables.iter().zip(resources) {
        let name = table["name"].as_str().unwrap();
        assert!(views.contains(&format!("VIEW {name} AS")), "{name}: {views}");
        let paths = resource["path"].as_array().unwrap();
        assert_eq!(paths.len(), 2, "{name}, a file for each report year");
        assert!(paths.iter().all(|p| folder.join(p.as_str().unwrap()).is_file()), "{paths:?}");
        let names: BTreeSet<&str> = resource["schema"]["fields"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
        let first: BTreeSet<String> = parquet(&folder.join(paths[0].as_str().unwrap())).first().unwrap().keys().cloned().collect();
        assert_eq!(names, first.iter().map(String::as_str).collect(), "{name}");
    }
    assert!(read("read.py").contains("public_performance") && read("read.R").contains("public_performance"));
}

/// Where nearly everything is hidden, cohorts may only seem to be the same, and hardly anything has a second value near by.
#[test]
fn tiny_states_can_be_published() {
    for seed in 1..=4 {
        let place = synth(Place::new(), 120, seed);
        place.works(&["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024", "--no-report"]);
        let said = place.works(&["audit"]);
        assert_eq!(said.matches("none of them can be computed").count(), 2, "{said}");
    }
}

/// Other rules, or rules alone, over the same students would tell what a protected release hides.
#[test]
fn a_release_is_not_undone_by_another() {
    let place = raw(120);
    place.works(&["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024", "--no-report"]);
    let released = || files(&public(&place)).into_iter().filter(|(path, _)| path != Path::new("_lock")).collect::<BTreeMap<_, _>>();
    let before = released();
    let federal = place.works(&["run", "--jurisdiction", "federal", "--report-year", "2024"]);
    assert!(federal.contains("federal: not published: figures of oregon are public"), "{federal}");
    let rule = place.perkins(&["run", "--jurisdiction", "oregon", "--report-year", "2024", "--policy", "rule"]);
    rule.refuses(3, &["protected", "--public"]);
    assert!(released() == before, "what is public has changed");
    place.works(&["run", "--jurisdiction", "oregon", "--report-year", "2024", "--policy", "rule", "--public", "to-compare"]);
    let both = place.works(&["run", "--jurisdiction", "federal,oregon", "--report-year", "2024", "--again", "--public", "third"]);
    assert!(both.contains("oregon: not published"), "{both}");
}

/// In 5S3 a student may not count in one cluster and count in another: seed 22 has such a figure of 1 of 8, and 0 of 8 in a cluster. A correction
/// may move a figure out of the bound that was shown: it is a new figure then.
#[test]
fn clusters_and_corrections_do_not_contradict_what_is_known() {
    let place = synth(Place::new(), 1000, 22);
    place.works(&["all", "raw", "--jurisdiction", "oregon", "--report-year", "2023", "--no-report"]);
    for collection in ["credential", "work_based_learning", "placement", "assessment"] {
        for (path, content) in files(&place.raw().join(collection)) {
            let content = String::from_utf8(content).unwrap();
            let kept = content.lines().enumerate().filter(|(i, _)| i % 12 != 11).map(|(_, line)| format!("{line}\n")).collect::<String>();
            std::fs::write(place.raw().join(collection).join(path), kept).unwrap();
        }
    }
    place.works(&["all", "raw", "--jurisdiction", "oregon", "--report-year", "2023", "--no-report"]);
    let said = place.works(&["audit"]);
    assert_eq!(said.matches("none of them can be computed").count(), 2, "{said}");
}
