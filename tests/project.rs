//! A project folder replaces what is built in; a mistake in it is shown with the file and the line.

use crate::support::{Answer, Place, copy, entries, home, loaded, name};
use std::fs;
use std::path::PathBuf;

/// A project folder with what ships, which a test may break.
struct Broken {
    place: Place,
}

impl Broken {
    fn new() -> Broken {
        let place = loaded();
        let project = place.path().join("project");
        copy(&home().join("sql"), &project.join("sql"));
        for folder in entries(&home().join("data")).into_iter().filter(|f| name(f) != "sample") {
            copy(&folder, &project.join("data").join(name(&folder)));
        }
        Broken { place }
    }

    fn file(&self, path: &str, content: &str) -> PathBuf {
        self.place.file(&format!("project/{path}"), content)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.place.path().join("project").join(path)).unwrap()
    }

    /// Replaces a piece of a file; gives the line on which it stands.
    fn replace(&self, path: &str, old: &str, new: &str) -> usize {
        let content = self.read(path);
        let at = content.find(old).unwrap_or_else(|| panic!("{path} has no {old:?}"));
        self.file(path, &content.replacen(old, new, 1));
        content[..at].matches('\n').count() + 1
    }

    fn run(&self) -> Answer {
        self.place.perkins(&["run", "--jurisdiction", "oregon", "--report-year", "2024", "--project", "project"])
    }
}

const HEADER: &str = "/*\ntitle = \"T\"\ngrain = [\"report_year\"]\nauthority = \"A\"\n*/\n";

#[test]
fn a_project_folder_can_replace_what_is_built_in() {
    let project = Broken::new();
    assert_eq!(project.run().code, 0, "{}", project.run().err);
    project.replace("data/rule/oregon.toml", "name = \"Oregon\"", "name = \"Cascadia\"");
    assert!(project.run().out.contains("Cascadia"), "{}", project.run().out);
    let none = |folder: &str| project.place.perkins(&["run", "--jurisdiction", "oregon", "--project", folder]);
    none("nowhere").refuses(3, &["nowhere", "--project"]);
    project.place.file("a-file", "");
    none("a-file").refuses(3, &["a-file"]);
    fs::create_dir(project.place.path().join("bare")).unwrap();
    none("bare").refuses(3, &["bare", "--project"]);
}

/// An overlay of an indicator, whose line 10 begins the SELECT.
const OVERLAY: &str = r#"/*
title = "Ours"
reason = "A state's own"
education_level = "secondary"
grain = ["report_year", "student_key", "program_key"]
authority = "A"
denominator_text = "D"
numerator_text = "N"
*/
SELECT
    report_year, student_key, program_key,
    TRUE AS denominator,
    is_graduate AS numerator,
    CAST(NULL AS VARCHAR) AS exclusion
FROM secondary_concentrator
"#;

const OVERLAY_PATH: &str = "sql/jurisdiction/oregon/indicator/5S3.sql";

#[test]
fn a_mistake_in_sql_is_shown_with_file_and_line() {
    let project = Broken::new();
    let mistakes: [(&str, &str, &[&str]); 13] = [
        ("FROM", "FRM", &["15"]),
        ("is_graduate", "is_gradate", &["5S3.sql:13:", "is_gradate"]),
        ("TRUE AS", "nofunction(1) AS", &["5S3.sql:12:", "nofunction"]),
        (
            "secondary_concentrator",
            "secondary_concentrater",
            &["5S3.sql:15:6", "secondary_concentrater", "did you mean secondary_concentrator?"],
        ),
        ("TRUE AS denominator", "TRUE AS denominatr", &["denominator"]),
        ("TRUE AS", "is_graduate + 5 AS", &[]),
        ("title =", "titel =", &["titel"]),
        ("reason = \"A", "reason = A", &["3"]),
        ("/*", "--", &["header"]),
        ("education_level = \"secondary\"", "education_level = \"tertiary\"", &["education_level"]),
        ("numerator_text", "#", &["numerator_text"]),
        ("FROM secondary_concentrator", "FROM secondary_concentrator; DROP TABLE rule", &["exactly one SELECT"]),
        ("SELECT", "EXPLAIN SELECT", &["exactly one SELECT"]),
    ];
    let mut wrong = Vec::new();
    for (old, new, pieces) in mistakes {
        assert!(OVERLAY.contains(old));
        project.file(OVERLAY_PATH, &OVERLAY.replacen(old, new, 1));
        let said = project.run();
        let missing: Vec<_> = [&[OVERLAY_PATH], pieces].concat().into_iter().filter(|p| !said.err.contains(p)).collect();
        if said.code != 3 || !missing.is_empty() {
            wrong.push(format!("{old} → {new}: exit code {}, {missing:?} not in: {}", said.code, said.err));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    project.file(OVERLAY_PATH, OVERLAY);
    assert_eq!(project.run().code, 0, "without a mistake it runs: {}", project.run().err);
}

#[test]
fn views_keep_to_their_layers() {
    let refuses = |path: &str, sql: &str, pieces: &[&str]| {
        let project = Broken::new();
        let file = project.file(path, &format!("{HEADER}{sql}\n"));
        let pieces: Vec<&str> = [&["project/", path], pieces].concat();
        project.run().refuses(3, &pieces);
        fs::remove_file(file).unwrap();
        assert_eq!(project.run().code, 0, "{path} was the only mistake");
    };
    refuses("sql/status/jump.sql", "SELECT report_year FROM lake.student", &["jump.sql:6:", "lake.student", "staging"]);
    refuses("sql/status/up.sql", "SELECT report_year\nFROM figure", &["up.sql:7:", "status", "tally", "downwards"]);
    refuses("sql/output/sideways.sql", "SELECT report_year FROM performance", &["sideways.sql:6:", "performance", "own layer"]);
    refuses("sql/status/unknown.sql", "SELECT report_year FROM studnet", &["unknown.sql:6:", "studnet", "did you mean student?"]);
    refuses("sql/status/schema.sql", "SELECT report_year FROM elsewhere.student", &["schema.sql:6:", "lake, reference and key"]);
    refuses("sql/status/clock.sql", "SELECT now() AS report_year", &["clock.sql", "clock"]);
    refuses("sql/status/rule.sql", "SELECT 1 AS report_year", &["rule.sql", "provides"]);
    refuses("sql/status/Upper.sql", "SELECT 1 AS report_year", &["Upper.sql", "lower case"]);
    refuses("sql/elsewhere/x.sql", "SELECT 1 AS report_year", &["x.sql", "staging", "output"]);
    refuses("sql/tally/last_exit.sql", "SELECT 1 AS report_year", &["status/last_exit.sql", "define the same view"]);
}

#[test]
fn views_that_refer_to_each_other_in_a_circle() {
    let project = Broken::new();
    project.file("sql/status/one.sql", &format!("{HEADER}SELECT report_year FROM two\n"));
    project.file("sql/status/two.sql", &format!("{HEADER}SELECT report_year FROM three\n"));
    project.file("sql/status/three.sql", &format!("{HEADER}SELECT report_year FROM one\n"));
    project.run().refuses(3, &["circle", "one", "two", "three", " → "]);
    let project = Broken::new();
    project.file("sql/status/itself.sql", &format!("{HEADER}SELECT report_year FROM itself\n"));
    project.run().refuses(3, &["itself.sql"]);
}

#[test]
fn an_overlay_says_why() {
    let project = Broken::new();
    project.file(OVERLAY_PATH, &OVERLAY.replace("reason", "# reason"));
    project.run().refuses(3, &[OVERLAY_PATH, "reason"]);
    project.file(OVERLAY_PATH, &project.read("sql/indicator/5S3.sql").replacen("title = ", "reason = \"Because\"\ntitle = ", 1));
    project.run().refuses(3, &[OVERLAY_PATH, "same"]);
    project.file(OVERLAY_PATH, &OVERLAY.replace("grain = [\"report_year\", ", "grain = ["));
    project.run().refuses(3, &[OVERLAY_PATH, "grain"]);
    project.file(OVERLAY_PATH, OVERLAY);
    let of =
        |jurisdiction: &str| project.place.works(&["run", "--jurisdiction", jurisdiction, "--report-year", "2024", "--project", "project"]);
    assert!(of("oregon").contains("Ours") && !of("federal").contains("Ours"), "the overlay holds for its jurisdiction only");
}

#[test]
fn a_state_specific_indicator_is_one_file_and_one_value() {
    let project = Broken::new();
    let like = project.read("sql/indicator/5S3.sql").replacen("title = \"", "title = \"Ours: ", 1);
    project.file("sql/indicator/5S4.sql", &like);
    let rules = project.read("data/rule/oregon.toml");
    let changed: Vec<String> = rules
        .lines()
        .map(|l| if l.starts_with("value = ") && l.contains("5S3") { l.replace("5S3", "5S3,5S4") } else { l.into() })
        .collect();
    project.file("data/rule/oregon.toml", &changed.join("\n"));
    let said = project.run();
    assert_eq!(said.code, 0, "{}", said.err);
    let rows = |indicator: &str| {
        let sql = format!(
            "select level, entity_id, group_kind, group_code, numerator, denominator from performance where indicator = '{indicator}' order by 1, 2, 3, 4"
        );
        project.place.query(&sql)
    };
    assert!(!rows("5S4").is_empty() && rows("5S4") == rows("5S3"), "the new indicator counts as the one that it copies");
}

const EXAM: &str = r#"
name = "certification_exam"
title = "Certification exams"
description = "One row for each time that a student sat the exam of an industry certification."
domain = "student"
partition = "school_year"
primaryKey = ["school_year", "student_id", "exam_code", "taken_on"]

[[foreignKeys]]
fields = "student_id"
reference = { resource = "student", fields = "student_id" }

[[fields]]
name = "school_year"
type = "year"
description = "School year of the exam."
constraints = { required = true, minimum = 1990, maximum = 2100 }

[[fields]]
name = "student_id"
type = "string"
format = "id"
description = "The student."
constraints = { required = true }

[[fields]]
name = "exam_code"
type = "string"
format = "id"
description = "The exam, by the certifying body's code."
constraints = { required = true }

[[fields]]
name = "taken_on"
type = "date"
description = "Day of the exam."
constraints = { required = true }

[[fields]]
name = "outcome"
type = "string"
description = "What came of it."
constraints = { required = true, enum = ["passed", "failed"] }
"#;

const EXAM_STAGING: &str = r#"/*
title = "Certification exams"
grain = ["school_year", "student_key", "exam_code", "taken_on"]
authority = "A"
[columns]
student_key = "Stable whole number that stands for student_id"
*/
SELECT school_year, student_key, exam_code, taken_on, outcome = 'passed' AS is_passed
FROM lake.certification_exam
"#;

const EXAM_CHECK: &str = r#"/*
title = "An exam taken outside its school year"
grain = ["example"]
authority = "A"
collection = "certification_exam"
[columns]
example = "The student and the day"
*/
SELECT concat(k.student_id, ' on ', e.taken_on) AS example
FROM certification_exam AS e
JOIN key.student AS k ON k.student_key = e.student_key
WHERE e.taken_on NOT BETWEEN make_date(e.school_year - 1, 7, 1) AND make_date(e.school_year, 6, 30)
"#;

const EXAM_OUTPUT: &str = r#"/*
title = "Exams passed"
grain = ["report_year", "student_id", "exam_code"]
authority = "A"
restricted = true
[columns]
report_year = "Report year"
times = "How often it was taken"
*/
SELECT r.report_year, k.student_id, e.exam_code, count(*) AS times
FROM requested AS r
JOIN certification_exam AS e ON e.school_year = r.report_year
JOIN key.student AS k ON k.student_key = e.student_key
WHERE e.is_passed
GROUP BY r.report_year, k.student_id, e.exam_code
ORDER BY r.report_year, k.student_id, e.exam_code
"#;

/// The recipe of CONTRIBUTING.md, "Add a collection", step by step.
#[test]
fn a_collection_is_one_contract_and_its_views() {
    let project = Broken::new();
    let place = &project.place;
    let perkins = |arguments: &[&str]| place.works(&[arguments, &["--project", "project"]].concat());
    let raw = "school_year,student_id,exam_code,taken_on,outcome\n\
               2024,A,OSHA-10,2024-03-01,passed\n2024,A,OSHA-10,2024-05-01,Passed\n2024,B,OSHA-10,2024-03-01,failed\n\
               2024,B,CNA,2025-03-01,passed\n2024,nobody,CNA,2024-03-01,passed\n2024,C,CNA,2024-03-01,perhaps\n";
    place.file("raw/certification_exam.csv", raw);
    assert!(place.perkins(&["ingest", "raw"]).err.contains("certification_exam.csv"), "a file of no collection is named");

    project.file("data/contract/certification_exam.toml", EXAM);
    project.file("sql/staging/certification_exam.sql", EXAM_STAGING);
    project.file("sql/check/exam_outside_its_year.sql", EXAM_CHECK);
    project.file("sql/output/exam_passed.sql", EXAM_OUTPUT);
    let said = perkins(&["ingest", "raw"]);
    let load = place.manifest("load");
    let counts = load["collections"].as_array().unwrap().iter().find(|c| c["collection"] == "certification_exam").unwrap();
    assert_eq!(
        (counts["read"].as_u64(), counts["accepted"].as_u64(), counts["rejected"].as_u64()),
        (Some(6), Some(4), Some(2)),
        "{counts}"
    );
    assert_eq!((&counts["by_rule"]["code"], &counts["by_rule"]["foreign_key"]), (&1.into(), &1.into()), "{counts}");
    assert!(said.contains("certification_exam"), "{said}");
    assert!(load.to_string().contains("B on 2025-03-01"), "what the check finds is in the load's manifest");

    perkins(&["run", "--jurisdiction", "oregon", "--report-year", "2024"]);
    let rows = place.query("select student_id, exam_code, times from exam_passed order by 1, 2");
    let rows: Vec<_> = rows.iter().map(|r| (r["student_id"].as_str(), r["exam_code"].as_str(), r["times"].as_str())).collect();
    assert_eq!(rows, [("A", "OSHA-10", "2"), ("B", "CNA", "1")]);

    perkins(&["docs", "--out", "pages"]);
    let dictionary = fs::read_to_string(place.path().join("pages/dictionary.md")).unwrap();
    assert!(dictionary.contains("certification_exam") && dictionary.contains("certifying body"), "{dictionary}");
}

#[test]
fn rules_and_contracts_that_are_wrong() {
    let wrong = |path: &str, old: &str, new: &str, pieces: &[&str]| {
        let project = Broken::new();
        project.replace(path, old, new);
        project.run().refuses(3, &[&[path], pieces].concat());
    };
    let rules = "data/rule/oregon.toml";
    wrong(
        rules,
        "id = \"secondary_participant_courses\"",
        "id = \"secondary_participant_course\"",
        &["secondary_participant_course", "rule.toml"],
    );
    wrong(rules, "value = \"0.5\"", "value = \"half\"", &["secondary_participant_credits", "half"]);
    wrong(rules, "value = \"0.5\"", "value = 0.5", &["line"]);
    wrong(rules, "code = \"OR\"", "", &["code"]);
    wrong(rules, "authority = \"Oregon", "authority = \"\" # \"", &["authority"]);
    wrong("data/contract/student.toml", "type = \"year\"", "type = \"yaer\"", &["yaer"]);
    wrong("data/contract/exit.toml", "name = \"exit\"", "name = \"exits\"", &["exits"]);
}
