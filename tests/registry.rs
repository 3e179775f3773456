//! What must keep step: an indicator, collection, output, rule or exclusion without its page, golden, description or use fails here.

use crate::support::{Place, entries, files, home, name, text};
use perkins::catalog::{Catalog, Layer};
use perkins::contract::Contracts;
use perkins::jurisdiction::{BASE, Jurisdiction};
use perkins::project::{Files, Project, Versions};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn project() -> Project {
    Project::open(Some(home().into()), vec![]).unwrap()
}

fn jurisdictions() -> Vec<String> {
    Jurisdiction::list(&project()).unwrap()
}

/// The views of every jurisdiction by path of the file.
fn views() -> BTreeMap<String, (Layer, String)> {
    let catalogs = jurisdictions().into_iter().map(|j| Catalog::load(&project(), &j).unwrap_or_else(|e| panic!("{j}: {e}")));
    let views = catalogs.flat_map(|c| c.views().map(|v| (v.path.clone(), (v.layer, v.sql.clone()))).collect::<Vec<_>>());
    views.collect()
}

fn stems(layer: Layer) -> BTreeSet<String> {
    let of_layer = views().into_iter().filter(|(_, (l, _))| *l == layer);
    of_layer.map(|(path, _)| name(Path::new(&path)).trim_end_matches(".sql").to_string()).collect()
}

/// The SQL below the header.
fn body(sql: &str) -> &str {
    sql.split_once("*/").map_or(sql, |(_, body)| body)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty())
}

fn page(path: &str) -> String {
    fs::read_to_string(home().join(path)).unwrap_or_else(|e| panic!("{path}: {e}; `make docs` writes it"))
}

#[test]
fn every_indicator_has_a_golden_and_a_page() {
    let indicators = stems(Layer::Indicator);
    assert!(indicators.len() >= 13, "{indicators:?}");
    for id in &indicators {
        let golden = home().join("tests/golden").join(id);
        let cases = if golden.is_dir() { entries(&golden) } else { vec![] };
        assert!(cases.iter().any(|c| c.join("given").is_dir()), "indicator {id} has no case in tests/golden/{id}");
        let page = page(&format!("docs/indicator/{id}.md"));
        assert!(page.contains(id), "docs/indicator/{id}.md does not name its indicator");
    }
    for path in entries(&home().join("docs/indicator")) {
        let id = name(&path).trim_end_matches(".md");
        assert!(indicators.contains(id) || ["README", "index"].contains(&id), "{} is of no indicator; `make docs`", path.display());
    }
}

#[test]
fn the_pages_are_up_to_date() {
    let place = Place::new();
    let said = place.perkins(&["docs", "--check", "--out", text(&home().join("docs"))]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

/// The part of a page from the heading that names something to the next heading that is not below it.
fn section<'a>(page: &'a str, named: &str) -> Option<&'a str> {
    let level = |line: &str| line.chars().take_while(|c| *c == '#').count();
    let mut at = 0;
    let mut start = None;
    for line in page.split_inclusive('\n') {
        match start {
            None if level(line) > 0 && words(line).any(|w| w == named) => start = Some((at, level(line))),
            Some((from, depth)) if level(line) > 0 && level(line) <= depth => return Some(&page[from..at]),
            _ => {}
        }
        at += line.len();
    }
    start.map(|(from, _)| &page[from..])
}

/// The dictionary's line of a column: its name as a word near the start, and something after it.
fn describes(section: &str, column: &str) -> bool {
    section.lines().any(|line| words(line).next() == Some(column) && words(line).count() > 2)
}

#[test]
fn every_collection_is_described() {
    let contracts = Contracts::embedded().unwrap();
    let dictionary = page("docs/dictionary.md");
    for contract in contracts.iter() {
        assert!(!contract.title.trim().is_empty() && !contract.description.trim().is_empty(), "{}", contract.name);
        let section = section(&dictionary, &contract.name)
            .unwrap_or_else(|| panic!("docs/dictionary.md has no heading for collection {}", contract.name));
        for field in &contract.fields {
            assert!(!field.description.trim().is_empty(), "{}.{} has no description", contract.name, field.name);
            assert!(describes(section, &field.name), "docs/dictionary.md does not describe {}.{}; `make docs`", contract.name, field.name);
        }
    }
}

#[test]
fn every_output_is_described() {
    let dictionary = page("docs/dictionary.md");
    let place = Place::new();
    place.ingest(&home().join("tests/golden/1S1/cohort_year/given"));
    let mut tables = BTreeSet::new();
    for jurisdiction in jurisdictions() {
        place.run(&jurisdiction, [2024], &[]);
        for table in place.manifest("run")["tables"].as_array().unwrap() {
            let title = table["name"].as_str().unwrap();
            tables.insert(title.to_string());
            let section =
                section(&dictionary, title).unwrap_or_else(|| panic!("docs/dictionary.md has no heading for output {title}; `make docs`"));
            for column in table["columns"].as_array().unwrap() {
                let column = column["name"].as_str().unwrap();
                assert!(describes(section, column), "docs/dictionary.md does not describe {title}.{column}; `make docs`");
            }
        }
    }
    assert_eq!(tables, stems(Layer::Output), "the tables that runs write");
}

/// Names under which a view's SQL joins the relation `rule`, and the columns that it reads of them.
fn rules_read(sql: &str) -> BTreeSet<String> {
    let tokens: Vec<&str> = body(sql).split_whitespace().collect();
    let joined = tokens.windows(3).filter(|w| w[0] == "rule" && w[1].eq_ignore_ascii_case("as"));
    let aliases: BTreeSet<String> = joined.map(|w| w[2].trim_end_matches([',', ';', ')']).to_string()).collect();
    let mut read = BTreeSet::new();
    for alias in aliases {
        let prefix = format!("{alias}.");
        for (at, _) in body(sql).match_indices(&prefix) {
            let before = body(sql)[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                read.extend(words(&body(sql)[at + prefix.len()..]).next().map(str::to_string));
            }
        }
    }
    read
}

#[test]
fn rules_are_defined_and_used() {
    let base = Jurisdiction::load(&project(), BASE).unwrap();
    let defined: BTreeSet<String> = base.definitions.iter().map(|d| d.id.clone()).collect();
    let mut used: BTreeSet<String> = BTreeSet::new();
    for (path, (_, sql)) in views() {
        for rule in rules_read(&sql).into_iter().filter(|r| r != "report_year") {
            assert!(defined.contains(&rule), "{path} reads rule {rule}, which data/rule/rule.toml does not define");
            used.insert(rule);
        }
    }
    assert!(used.len() > 10, "rules are found in the SQL: {used:?}");
    let rust: String = files(&home().join("pipeline")).into_values().map(|b| String::from_utf8(b).unwrap()).collect();
    for rule in &defined {
        let is_used = used.contains(rule) || rust.contains(&format!("\"{rule}\""));
        assert!(is_used, "nothing uses rule {rule}: delete it");
    }
}

#[test]
fn every_rule_has_a_value_in_every_year() {
    for id in jurisdictions() {
        let jurisdiction = Jurisdiction::load(&project(), &id).unwrap();
        for definition in &jurisdiction.definitions {
            for year in [1990, 2019, 2024, 2030, 2100] {
                let value = jurisdiction.value(&definition.id, year).unwrap_or_else(|e| panic!("{id}: {e}"));
                assert!(!value.authority.trim().is_empty(), "{id}: {} has no authority", definition.id);
            }
            assert!(!definition.title.trim().is_empty(), "{} has no title", definition.id);
        }
    }
}

#[test]
fn exclusions_are_documented() {
    let listed = crate::support::rows_of(&home().join("data/reference/exclusion.csv"));
    let documented: BTreeSet<&str> = listed.iter().map(|r| r["code"].as_str()).collect();
    assert_eq!(documented.len(), listed.len(), "a code is there twice");
    let mut used = BTreeSet::new();
    for (path, (layer, sql)) in views() {
        for code in body(&sql).match_indices("AS exclusion").flat_map(|(at, _)| exclusions(&body(&sql)[..at])) {
            assert!(documented.contains(code.as_str()), "{path}: exclusion {code} is not in data/reference/exclusion.csv");
            used.insert(code);
        }
        assert!(layer != Layer::Indicator || words(body(&sql)).any(|w| w == "exclusion"), "{path} gives no exclusion");
    }
    let unused: Vec<_> = documented.into_iter().filter(|c| !used.contains(*c)).collect();
    assert!(unused.is_empty(), "no view gives {unused:?}");
}

/// The codes of the CASE that ends here: its texts after THEN and ELSE.
fn exclusions(before: &str) -> Vec<String> {
    let case = &before[before.rfind("CASE").unwrap_or(0)..];
    let pieces: Vec<&str> = case.split("THEN ").skip(1).chain(case.split("ELSE ").skip(1)).collect();
    pieces.into_iter().filter_map(|p| Some(p.strip_prefix('\'')?.split_once('\'')?.0.to_string())).collect()
}

#[test]
fn every_jurisdiction_runs_what_it_reports() {
    for id in jurisdictions() {
        let jurisdiction = Jurisdiction::load(&project(), &id).unwrap();
        let catalog = Catalog::load(&project(), &id).unwrap();
        let known: BTreeSet<&str> = catalog.indicators().into_iter().filter_map(|v| v.indicator()).collect();
        for indicator in jurisdiction.codes("reported_indicators", 2024).unwrap() {
            assert!(known.contains(indicator.as_str()), "{id} reports {indicator}, which has no view");
        }
    }
    assert!(jurisdictions().iter().any(|j| j == BASE) && jurisdictions().len() > 1);
}

#[test]
fn no_state_is_named_in_rust() {
    let names: Vec<String> = jurisdictions().into_iter().filter(|j| j != BASE).collect();
    for (path, bytes) in files(&home().join("pipeline")) {
        let source = String::from_utf8(bytes).unwrap();
        for (i, line) in source.lines().enumerate() {
            // Help texts and messages may give an example; comments explain.
            let code = line.split("//").next().unwrap_or_default();
            let quoted = names.iter().find(|n| code.contains(&format!("\"{n}\"")));
            let default = code.contains("default_value");
            assert!(quoted.is_none() || default, "{}:{}: names a state: {}", path.display(), i + 1, line.trim());
        }
    }
}

#[test]
fn the_files_that_ship_are_those_built_in() {
    let same = |kind: &str, built_in: BTreeMap<String, String>| {
        let on_disk = files(&home().join(kind));
        let on_disk: BTreeMap<String, String> =
            on_disk.into_iter().map(|(p, b)| (text(&p).to_string(), String::from_utf8(b).unwrap())).collect();
        assert_eq!(on_disk.keys().collect::<Vec<_>>(), built_in.keys().collect::<Vec<_>>(), "{kind}");
        let stale: Vec<_> = on_disk.iter().filter(|(p, text)| built_in[*p] != **text).map(|(p, _)| p).collect();
        assert!(stale.is_empty(), "{kind}: not built in as they are: {stale:?}");
    };
    let embedded = Project::default();
    let of_files = |files: Files| files.into_iter().map(|(p, f)| (p, f.text)).collect();
    let of_versions = |files: Versions| files.into_iter().map(|(p, f)| (p, f[0].text.clone())).collect();
    same("sql", of_versions(embedded.sql().unwrap()));
    same("data/rule", of_versions(embedded.rules().unwrap()));
    same("data/default", of_files(embedded.defaults().unwrap()));
    same("data/reference", of_files(embedded.reference().unwrap()));
    same("data/report", of_files(embedded.reports().unwrap()));
    same("data/publish", of_files(embedded.publish().unwrap()));
    same("data/audit", of_files(embedded.audit().unwrap()));
    same("data/mapping", of_files(embedded.mappings().unwrap()));
    same("data/intake", of_files(embedded.intake().unwrap()));
}
