//! Overlay folders (`--overlay`): what an agency adds to the shipped project without copying it.

use crate::support::{Answer, Place, compare, copy, entries, home, name, rows_of, text, types};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn case() -> PathBuf {
    home().join("tests/overlay/own_indicator")
}

/// The overlay that ships as an example.
fn example() -> PathBuf {
    home().join("docs/example/overlay")
}

fn loaded() -> Place {
    let place = Place::new();
    place.ingest(&case().join("given"));
    place
}

/// All tables of the current run as text, without the rows of an indicator.
fn tables_without(place: &Place, indicator: &str) -> BTreeMap<String, String> {
    let run = place.manifest("run");
    let tables = run["tables"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_string());
    // Forms name the indicator within a word, such as 3:5S4.
    let table = |table: String| {
        let rows = place.works(&["query", &format!("SELECT * FROM {table}"), "--format", "csv"]);
        let others = rows.lines().filter(|l| indicator.is_empty() || !l.contains(indicator));
        (table, others.map(|l| format!("{l}\n")).collect::<String>())
    };
    tables.map(table).collect()
}

#[test]
fn a_state_s_own_indicator_is_one_view_and_one_value() {
    let place = loaded();
    place.run("oregon", 2023..=2025, &[]);
    let before = tables_without(&place, "");
    place.run("oregon", 2023..=2025, &["--overlay", text(&example())]);
    let run = place.manifest("run");
    let mut problems = Vec::new();
    for path in entries(&case().join("expect-oregon")) {
        let table = name(&path).trim_end_matches(".csv");
        problems.extend(compare(table, &types(&run, table), &rows_of(&path), &place.table(table)));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let after = tables_without(&place, "5S4");
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (table, rows) in before {
        assert!(rows == after[&table], "{table} has other rows than those of the new indicator");
    }
    // Another jurisdiction does not have it.
    place.run("federal", [2024], &["--overlay", text(&example())]);
    assert!(place.query("SELECT * FROM performance WHERE indicator = '5S4'").is_empty());
}

#[test]
fn the_manifest_says_which_files_of_overlays_there_were() {
    let place = loaded();
    let example = example();
    place.run("oregon", [2024], &["--overlay", text(&example)]);
    let run = place.manifest("run");
    for path in ["sql/indicator/5S4.sql", "data/rule/oregon.toml"] {
        let path = example.join(path);
        let hash = run["overlays"][text(&path)].as_str().unwrap_or_else(|| panic!("{}: {}", path.display(), run["overlays"]));
        assert_eq!(hash, blake3::hash(&fs::read(&path).unwrap()).to_hex().as_str());
    }
    assert_eq!(run["overlays"].as_object().unwrap().len(), 2);
    assert!(run["sql"][text(&example.join("sql/indicator/5S4.sql"))].is_string());
    let rules = run["rules"]["reported_indicators"].to_string();
    assert!(rules.contains("5S3") && rules.contains("5S4") && rules.contains("section 113"), "{rules}");
    place.run("oregon", [2024], &[]);
    assert!(place.manifest("run")["overlays"].as_object().unwrap().is_empty());
}

#[test]
fn explain_and_docs_know_what_an_overlay_adds() {
    let place = loaded();
    let overlay = ["--overlay", text(&example()), "--format", "json"].map(str::to_string);
    let mut arguments = vec!["explain", "--student", "A", "--jurisdiction", "oregon", "--report-year", "2024"];
    arguments.extend(overlay.iter().map(String::as_str));
    let said = place.works(&arguments);
    assert!(said.contains("5S4") && said.contains("2024-08-31"), "{said}");
    let of_h =
        place.works(&["explain", "--student", "H", "--jurisdiction", "oregon", "--report-year", "2024", overlay[0].as_str(), &overlay[1]]);
    assert!(of_h.contains("not in the denominator: not graduated"), "{of_h}");
    place.works(&["docs", "--out", "pages", "--overlay", text(&example())]);
    let page = fs::read_to_string(place.path().join("pages/indicator/5S4.md")).unwrap();
    assert!(page.contains("Reported by Oregon (from 2024)"), "{page}");
}

/// A place with overlay folders that a test writes.
struct Layers {
    place: Place,
}

impl Layers {
    fn new() -> Layers {
        Layers { place: loaded() }
    }

    fn file(&self, path: &str, content: &str) {
        self.place.file(path, content);
    }

    fn run(&self, overlays: &[&str], year: &str) -> Answer {
        // A table that compares with no earlier year: the manifest then has the values of this one only.
        let mut arguments = vec!["run", "--jurisdiction", "oregon", "--report-year", year, "--table", "performance"];
        overlays.iter().for_each(|o| arguments.extend(["--overlay", *o]));
        self.place.perkins(&arguments)
    }

    /// The value of a rule in the current run.
    fn value(&self, rule: &str) -> String {
        self.place.manifest("run")["rules"][rule][0]["value"].as_str().unwrap().to_string()
    }
}

fn rule(id: &str, years: &str, value: &str) -> String {
    format!("[[rule]]\nid = \"{id}\"\n{years}\nvalue = \"{value}\"\nauthority = \"The agency\"\n")
}

const HEADER: &str = "/*\ntitle = \"T\"\ngrain = [\"report_year\"]\nauthority = \"A\"\n*/\n";

#[test]
fn overlays_come_from_flags_then_the_variable_then_the_file() {
    let layers = Layers::new();
    for (folder, value) in [("one", "0.6"), ("two", "0.7"), ("three", "0.8")] {
        layers.file(&format!("{folder}/data/rule/oregon.toml"), &rule("secondary_participant_credits", "first_report_year = 2000", value));
    }
    layers.file("four/data/rule/oregon.toml", &rule("secondary_participant_courses", "first_report_year = 2000", "3"));
    layers.file("perkins.toml", "overlay = [\"one\", \"four\"]\n");
    let run = |variable: Option<&str>, flags: &[&str]| {
        let mut command = layers.place.command();
        command.args(["run", "--jurisdiction", "oregon", "--report-year", "2024"]).args(flags);
        variable.map(|v| command.env("PERKINS_OVERLAY", v));
        let answer = crate::support::answer(&mut command);
        assert_eq!(answer.code, 0, "{}", answer.err);
        (layers.value("secondary_participant_credits"), layers.value("secondary_participant_courses"))
    };
    let is = |credits: &str, courses: &str| (credits.to_string(), courses.to_string());
    assert_eq!(run(None, &[]), is("0.6", "3"), "of the file");
    assert_eq!(run(Some("two"), &[]), is("0.7", "0"), "of the variable, instead of the file");
    assert_eq!(run(Some("one:two:four"), &[]), is("0.7", "3"), "several in the variable: the last one is on top");
    assert_eq!(run(Some("two:one"), &[]), is("0.6", "0"), "several in the variable: the last one is on top");
    assert_eq!(run(Some("two"), &["--overlay", "one", "--overlay", "three"]), is("0.8", "0"), "of flags, the last one on top");
}

#[test]
fn values_of_an_overlay_hold_for_the_years_that_they_name() {
    let layers = Layers::new();
    let some = rule("secondary_concentrator_credits", "first_report_year = 2023\nlast_report_year = 2024", "3.0");
    layers.file("ours/data/rule/oregon.toml", &(some + &rule("reported_indicators", "first_report_year = 2024", "+5S1, 5S3")));
    for (year, credits, indicators) in [("2022", "2.0", false), ("2023", "3.0", false), ("2024", "3.0", true), ("2025", "2.0", true)] {
        let said = layers.run(&["ours"], year);
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(layers.value("secondary_concentrator_credits"), credits, "report year {year}");
        let reported = layers.value("reported_indicators");
        let times = |id: &str| reported.split(',').filter(|i| *i == id).count();
        assert_eq!((times("5S1"), times("5S3"), times("1S1")), (usize::from(indicators), 1, 1), "report year {year}: {reported}");
    }
}

#[test]
fn an_overlay_replaces_and_adds_files_of_every_kind() {
    let layers = Layers::new();
    // A collection, its staging view, a rule, its value, and an output that uses them; a default that replaces the shipped one.
    layers.file(
        "ours/data/contract/club.toml",
        "name = \"club\"\ntitle = \"Clubs\"\ndescription = \"One row for each club.\"\ndomain = \"Programs\"\nprimaryKey = [\"club\"]\n\n[[fields]]\nname = \"club\"\ntype = \"string\"\nformat = \"id\"\ndescription = \"The club\"\nconstraints = { required = true }\n",
    );
    layers.file("ours/data/rule/rule.toml", "[[rule]]\nid = \"club_prefix\"\ntype = \"text\"\ntitle = \"How clubs are called\"\n");
    layers.file("ours/data/rule/federal.toml", &rule("club_prefix", "first_report_year = 1990", "Club "));
    layers.file("ours/sql/staging/club.sql", &format!("{}SELECT club FROM lake.club\n", HEADER.replace("report_year", "club")));
    layers.file(
        "ours/sql/output/club_name.sql",
        "/*\ntitle = \"T\"\ngrain = [\"report_year\", \"club_name\"]\nauthority = \"A\"\n[columns]\nreport_year = \"Y\"\nclub_name = \"N\"\n*/\nSELECT q.report_year, concat(r.club_prefix, CAST(c.club AS VARCHAR)) AS club_name\nFROM requested AS q\nJOIN rule AS r ON r.report_year = q.report_year\nCROSS JOIN club AS c\nORDER BY q.report_year, club_name\n",
    );
    layers.file("raw/club.csv", "club\nA\nB\n");
    let overlay = ["--overlay", "ours"];
    layers.place.works(&[&["ingest", "raw"], &overlay[..]].concat());
    layers.place.run("oregon", [2024], &overlay);
    assert_eq!(layers.place.table("club_name").iter().map(|r| r["club_name"].as_str()).collect::<Vec<_>>(), ["Club A", "Club B"]);
    assert_eq!(layers.place.manifest("run")["overlays"].as_object().unwrap().len(), 5);
    assert_eq!(layers.place.works(&[&["query", "SELECT club FROM lake.club", "--format", "csv"], &overlay[..]].concat()), "club\nA\nB\n");
    // The same files of a higher overlay.
    layers.file("more/data/rule/federal.toml", &rule("club_prefix", "first_report_year = 1990", "Our "));
    layers.place.run("oregon", [2024], &["--overlay", "ours", "--overlay", "more"]);
    assert_eq!(layers.place.table("club_name")[0]["club_name"], "Our A");
}

#[test]
fn an_overlay_replaces_views_defaults_and_reference_tables() {
    let layers = Layers::new();
    let shipped = |path: &str| fs::read_to_string(home().join(path)).unwrap();
    let changed = shipped("sql/indicator/5S3.sql").replacen("title = \"", "reason = \"Ours\"\ntitle = \"Ours: ", 1);
    let of = |sql: &str, jurisdiction: &str| {
        layers.file("ours/sql/indicator/5S3.sql", sql);
        layers.place.perkins(&["run", "--jurisdiction", jurisdiction, "--report-year", "2024", "--overlay", "ours"])
    };
    of(&changed, "oregon").refuses(3, &["ours/sql/indicator/5S3.sql", "same"]);
    let other = changed.replace("coalesce(w.hours >= r.work_based_learning_hours, FALSE)", "w.student_key IS NOT NULL");
    assert_ne!(other, changed);
    of(&other.replacen("reason", "#", 1), "oregon").refuses(3, &["ours/sql/indicator/5S3.sql", "reason"]);
    for jurisdiction in ["oregon", "federal"] {
        let said = of(&other, jurisdiction);
        assert!(said.code == 0 && said.out.contains("Ours: "), "{}{}", said.out, said.err);
    }
    // A jurisdiction's own file of the overlay goes before that for all.
    layers.file("ours/sql/jurisdiction/oregon/indicator/5S3.sql", &other.replace("Ours: ", "Oregon's: ").replace("IS NOT NULL", "> 0"));
    assert!(of(&other, "oregon").out.contains("Oregon's: ") && of(&other, "federal").out.contains("Ours: "));
    // Without a crosswalk handed over, the default of an overlay stands in.
    let place = Place::new();
    copy(&case().join("given"), &place.raw());
    fs::remove_file(place.raw().join("crosswalk.csv")).unwrap();
    place.file("ours/data/default/oregon/crosswalk.csv", "cip_code,career_cluster,nontraditional_for\n52.1401,finance,\n");
    place.file("ours/data/reference/group_title.csv", &shipped("data/reference/group_title.csv"));
    place.works(&["all", "raw", "--jurisdiction", "oregon", "--report-year", "2024", "--overlay", "ours"]);
    let defaults = place.manifest("run")["defaults"].clone();
    assert_eq!(defaults["crosswalk"].as_str(), Some("ours/data/default/oregon/crosswalk.csv"));
    assert!(place.table("performance").iter().any(|r| r["group_kind"] == "career_cluster" && r["group_code"] == "finance"));
}

#[test]
fn a_jurisdiction_of_an_overlay_alone() {
    let layers = Layers::new();
    layers.file("ours/data/rule/atlantis.toml", "code = \"AT\"\nname = \"Atlantis\"\n");
    let said = layers.place.works(&["run", "--jurisdiction", "atlantis", "--report-year", "2024", "--overlay", "ours"]);
    assert!(said.contains("Atlantis"), "{said}");
    assert!(layers.place.works(&["jurisdiction", "list", "--overlay", "ours"]).contains("Atlantis"));
    layers.file("ours/data/rule/atlantis.toml", "name = \"Atlantis\"\n");
    layers.run(&["ours"], "2024").refuses(3, &["ours/data/rule/atlantis.toml", "code"]);
}

/// A wrong overlay with one file is refused with the file's name.
fn refuses(path: &str, content: &str, pieces: &[&str]) {
    let layers = Layers::new();
    layers.file(&format!("ours/{path}"), content);
    let pieces: Vec<String> = std::iter::once(format!("ours/{path}")).chain(pieces.iter().map(|p| p.to_string())).collect();
    layers.run(&["ours"], "2024").refuses(3, &pieces.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_mistake_names_the_overlay_s_file() {
    let in_2024 = "first_report_year = 2024";
    refuses("data/rule/oregon.toml", &rule("reported_indicator", in_2024, "+5S4"), &["reported_indicator", "rule.toml"]);
    refuses("data/rule/oregon.toml", &rule("reported_indicators", in_2024, "+"), &["reported_indicators", "+"]);
    refuses("data/rule/oregon.toml", &rule("secondary_participant_courses", in_2024, "+1"), &["secondary_participant_courses", "list"]);
    refuses("data/rule/oregon.toml", &rule("graduating_exit_kinds", in_2024, "+moved"), &["graduating_exit_kinds", "moved"]);
    refuses("data/rule/oregon.toml", "[[rule]]\nid = 5\n", &["line 2"]);
    refuses("data/rule/oregn.toml", &rule("reported_indicators", in_2024, "+5S4"), &["code", "name"]);
    refuses("data/rule/rule.toml", "[[rule]]\nid = \"target_share\"\ntype = \"integer\"\ntitle = \"T\"\n", &["target_share", "already"]);
    refuses("sql/jurisdiction/oregn/status/x.sql", &format!("{HEADER}SELECT 1 AS report_year\n"), &["oregn", "oregon"]);
    refuses("sql/status/x.sql", &format!("{HEADER}SELECT report_year FROM nowhere\n"), &["x.sql:6:", "nowhere"]);
    refuses("sql/tally/last_exit.sql", &format!("{HEADER}SELECT 1 AS report_year\n"), &["status/last_exit.sql", "same view"]);
    refuses("data/contract/exit.toml", "name = \"exits\"\n", &[]);
}

#[test]
fn an_overlay_that_could_have_no_effect_is_refused() {
    let layers = Layers::new();
    layers.run(&["nowhere"], "2024").refuses(3, &["nowhere", "not there"]);
    fs::create_dir(layers.place.path().join("bare")).unwrap();
    layers.run(&["bare"], "2024").refuses(3, &["bare", "neither sql nor data"]);
    layers.file("typo/data/rules/oregon.toml", "");
    layers.run(&["typo"], "2024").refuses(3, &["typo", "data/rules", "data/rule,"]);
    // A list that adds to nothing.
    layers.file("list/data/rule/rule.toml", "[[rule]]\nid = \"colours\"\ntype = \"list\"\ntitle = \"T\"\n");
    layers.file("list/data/rule/federal.toml", &rule("colours", "first_report_year = 2000", "+red"));
    layers.run(&["list"], "2024").refuses(3, &["list/data/rule/federal.toml", "colours", "adds to a list"]);
    // An indicator that is reported has a view.
    layers.file("ours/data/rule/oregon.toml", &rule("reported_indicators", "first_report_year = 2024", "+5S9"));
    layers.run(&["ours"], "2024").refuses(3, &["5S9"]);
    assert!(Path::new(&layers.place.restricted()).is_dir());
}
