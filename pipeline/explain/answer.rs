//! Runs the views over one student's rows and gathers what they say.

use super::text::lower_first;
use crate::catalog::{Catalog, Explain, Name, View};
use crate::engine::{Engine, Limit, Memory};
use crate::error::{Error, Result};
use crate::jurisdiction::Jurisdiction;
use crate::lineage::Lineage;
use crate::project::Project;
use crate::root::Root;
use crate::run::graph::STUDENT;
use crate::run::{self, Prepared, relation};
use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The view that decides about every candidate, the output that it feeds, and the view that lists the student's programs.
const MEMBERSHIP: &str = "membership";
const MEMBERSHIP_TABLE: &str = "indicator_membership";
const LISTING: &str = "explain_program";

/// Columns that say what a row is about, not what is known of it.
const KEYS: [&str; 4] = [run::output::REPORT_YEAR, STUDENT[0], STUDENT[1], "program_key"];

/// About whom and what.
#[derive(Debug, Clone)]
pub struct Question {
    /// The student's id.
    pub student_id: String,
    /// The jurisdiction.
    pub jurisdiction: String,
    /// Report years; none: the latest school year of the lake.
    pub report_years: BTreeSet<i32>,
    /// Ids of indicators; none: all that are reported.
    pub indicators: Vec<String>,
    /// Threads.
    pub partitions: usize,
    /// Memory for the engine.
    pub memory_limit: Option<Limit>,
}

/// What is known of a student as of a report year.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// The student's id.
    pub student_id: String,
    /// The report year.
    pub report_year: i32,
    /// Printed name of the jurisdiction.
    pub jurisdiction: String,
    /// What is recorded of the student.
    pub student: Vec<Topic>,
    /// The student's programs.
    pub programs: Vec<Program>,
    /// The indicators that are reported.
    pub indicators: Vec<Indicator>,
}

/// Sentences about one thing.
#[derive(Debug, Clone, Serialize)]
pub struct Topic {
    /// Name of the view in `sql/explain`.
    pub topic: String,
    /// Heading.
    pub title: String,
    /// What there is to say.
    pub facts: Vec<String>,
    /// The rules that the sentences name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleValue>,
}

/// A program of the student.
#[derive(Debug, Clone, Serialize)]
pub struct Program {
    /// The program's id.
    pub program_id: String,
    /// Its level; null if its institution is not known.
    pub education_level: Option<String>,
    /// The student's status in it.
    pub status: Option<String>,
    /// Name, field and institution.
    pub description: String,
    /// What is recorded of the student in it.
    pub topics: Vec<Topic>,
    #[serde(skip)]
    key: String,
    #[serde(skip)]
    obstacle: Option<String>,
}

/// An indicator, and what it says about each program.
#[derive(Debug, Clone, Serialize)]
pub struct Indicator {
    /// Its id.
    pub indicator: String,
    /// Its title.
    pub title: String,
    /// The level of the programs that it takes.
    pub education_level: String,
    /// Whether the student counts in the state's denominator.
    pub denominator: bool,
    /// Whether the student counts in the state's numerator.
    pub numerator: bool,
    /// Who is in the denominator, in words.
    pub denominator_text: String,
    /// Who is in the numerator, in words.
    pub numerator_text: String,
    /// Program by program.
    pub programs: Vec<Decision>,
    /// The rules that decide it, beyond those of who is a concentrator.
    pub rules: Vec<RuleValue>,
    /// The documents that it comes from.
    pub authority: String,
}

/// What an indicator says about a program of the student.
#[derive(Debug, Clone, Serialize)]
pub struct Decision {
    /// The program's id.
    pub program_id: String,
    /// Whether the indicator looks at it.
    pub candidate: bool,
    /// In the denominator.
    pub denominator: bool,
    /// In the numerator.
    pub numerator: bool,
    /// Code of why not in the denominator.
    pub exclusion: Option<String>,
    /// Why not in the denominator, in words.
    pub reason: Option<String>,
    /// What decided about the denominator.
    pub denominator_facts: Vec<Fact>,
    /// What decided about the numerator.
    pub numerator_facts: Vec<Fact>,
}

impl Decision {
    /// Whether there is the same to say about two programs.
    pub fn same(&self, other: &Decision) -> bool {
        let said = |d: &Decision| (d.candidate, d.denominator, d.numerator, d.exclusion.clone(), d.reason.clone());
        said(self) == said(other) && self.denominator_facts == other.denominator_facts && self.numerator_facts == other.numerator_facts
    }
}

/// What decided: a heading and what is recorded under it, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Heading of the topic.
    pub title: String,
    /// Sentences.
    pub facts: Vec<String>,
}

/// A rule in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleValue {
    /// The rule.
    pub rule: String,
    /// What it decides.
    pub title: String,
    /// Its value in the report year.
    pub value: String,
    /// Who says so.
    pub authority: String,
}

/// A row as text by column; null is absent.
type Row = BTreeMap<String, String>;

/// Answers for each report year.
pub async fn ask(root: &Root, project: &Project, question: &Question) -> Result<Vec<Answer>> {
    let (_, load) = run::current_load(root)?;
    let options = run::Options {
        jurisdictions: vec![question.jurisdiction.clone()],
        report_years: question.report_years.clone(),
        tables: vec![MEMBERSHIP_TABLE.into()],
        partitions: question.partitions,
        memory_limit: question.memory_limit.clone(),
        again: true,
        max_change: None,
        publish: None,
    };
    let engine = Engine::new(question.partitions, question.memory_limit.as_ref())?;
    let prepared = run::prepare(engine, root, &load, project, &question.jurisdiction, &options).await?;
    let engine = &prepared.engine;
    let quoted = question.student_id.replace('\'', "''");
    let (_, found) = engine.query(&format!("SELECT * FROM key.student WHERE student_id = '{quoted}'")).await?;
    // The id itself is not in the message: messages are logged.
    let nobody = || Error::Data("the lake has no student of this id; ids are text: check leading zeros, letter case and spaces".into());
    let student = found.into_iter().find(|b| b.num_rows() > 0).ok_or_else(nobody)?;
    let contracts = project.contracts()?;
    relation::register_student(engine, &contracts, root, &load, &prepared.registered, student)?;
    compute(&prepared).await?;
    let lineage = Lineage::plan(project, &contracts, &question.jurisdiction).await?;
    let mut reader = Reader { prepared: &prepared, rows: BTreeMap::new(), read_by: BTreeMap::new(), lineage };
    reader.read().await?;
    let mut answers = Vec::new();
    for &year in &prepared.years.requested {
        answers.push(reader.answer(question, year).await?);
    }
    Ok(answers)
}

/// The views that the answer is read from.
fn wanted(catalog: &Catalog) -> Vec<&str> {
    std::iter::once(MEMBERSHIP).chain(catalog.topics().into_iter().map(|v| v.name.as_str())).collect()
}

/// Runs every view that the answer needs, each as a table in memory: there is one student only.
async fn compute(prepared: &Prepared) -> Result<()> {
    for view in prepared.catalog.in_order(&wanted(&prepared.catalog))? {
        let (schema, batches) = prepared.engine.run_whole(view).await?;
        prepared.engine.register(&Name { schema: None, table: view.name.clone() }, Arc::new(Memory::whole(schema, batches)))?;
    }
    Ok(())
}

struct Reader<'a> {
    prepared: &'a Prepared,
    /// Rows of each relation that was read.
    rows: BTreeMap<String, Vec<Row>>,
    /// What the indicators that name no topics read: columns by relation, by name of the indicator's view.
    read_by: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    lineage: Lineage,
}

impl Reader<'_> {
    fn catalog(&self) -> &Catalog {
        &self.prepared.catalog
    }

    async fn read(&mut self) -> Result<()> {
        let engine = &self.prepared.engine;
        let mut relations: Vec<String> = self.catalog().topics().into_iter().map(|v| v.name.clone()).collect();
        relations.extend([MEMBERSHIP.to_string(), "reference.exclusion".into()]);
        self.discover().await?;
        relations.extend(self.read_by.values().flat_map(BTreeMap::keys).cloned());
        for relation in relations {
            let mut rows = rows(engine, &relation).await?;
            rows.sort_by_key(|r| (number(r, "place"), r.get("program_id").cloned(), r.get("sentence").cloned()));
            self.rows.insert(relation, rows);
        }
        Ok(())
    }

    /// Finds what the indicators that name no topics read of the student, by planning them.
    async fn discover(&mut self) -> Result<()> {
        let silent = |v: &&View| v.indicator().is_some() && v.header.explain.topics().next().is_none();
        let views: Vec<String> = self.lineage.catalog.indicators().into_iter().filter(silent).map(|v| v.name.clone()).collect();
        let known: BTreeSet<String> = self.computed()?.into_iter().map(|v| v.name.clone()).collect();
        for view in views.into_iter().filter(|v| known.contains(v)) {
            let needs = self.lineage.direct(&view, BTreeSet::new()).await?;
            let of_student = needs.into_iter().filter(|(name, columns)| known.contains(&name.table) && columns.contains(STUDENT[0]));
            let columns =
                of_student.map(|(name, columns)| (name.table, columns.into_iter().filter(|c| !KEYS.contains(&c.as_str())).collect()));
            self.read_by.insert(view, columns.collect());
        }
        Ok(())
    }

    fn computed(&self) -> Result<Vec<&View>> {
        self.catalog().in_order(&wanted(self.catalog()))
    }

    /// What an indicator that names no topics read about the student in a program: the columns and their values.
    fn discovered(&self, view: &View, year: i32, program: &Program) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (relation, columns) in self.read_by.get(&view.name).into_iter().flatten() {
            let Some(source) = self.catalog().get(relation) else { continue };
            let here = |r: &&Row| {
                let same = |column: &str, value: &str| r.get(column).is_none_or(|v| v == value);
                same(run::output::REPORT_YEAR, &year.to_string()) && same("program_key", &program.key)
            };
            let value = |r: &Row, c: &String| match r.get(c).map(String::as_str) {
                None => "not given".to_string(),
                Some("true") => "yes".to_string(),
                Some("false") => "no".to_string(),
                Some(text) => text.to_string(),
            };
            let sentence = |r: &Row| {
                let values = columns.iter().map(|c| format!("{} {}", c.replace('_', " "), value(r, c))).collect::<Vec<_>>();
                format!("{}: {}", lower_first(&source.header.title), if values.is_empty() { "yes".into() } else { values.join(", ") })
            };
            let facts_here = self.rows.get(relation).into_iter().flatten().filter(here).map(sentence).collect();
            facts.push(Fact { title: source.header.title.clone(), facts: facts_here });
        }
        facts
    }

    /// Rows of a relation for a report year.
    fn of(&self, relation: &str, year: i32) -> impl Iterator<Item = &Row> {
        let year = year.to_string();
        self.rows.get(relation).into_iter().flatten().filter(move |r| r.get(run::output::REPORT_YEAR) == Some(&year))
    }

    async fn answer(&mut self, question: &Question, year: i32) -> Result<Answer> {
        let mut programs = self.programs(year)?;
        let about_program: Vec<(View, bool)> =
            self.catalog().topics().into_iter().map(|v| (v.clone(), v.header.grain.iter().any(|c| c == "program_key"))).collect();
        let mut student = Vec::new();
        for (view, by_program) in about_program.iter().filter(|(v, _)| v.name != LISTING) {
            let rules = self.lineage.own_rules(&view.name).await?;
            let rules = self.rule_values(&rules, year)?;
            let topic = |program: Option<&str>| self.topic(view, year, program, rules.clone());
            if *by_program {
                programs.iter_mut().for_each(|p| p.topics.extend(topic(Some(&p.key.clone()))));
            } else {
                student.extend(topic(None));
            }
        }
        let indicators = self.indicators(question, year, &programs).await?;
        let jurisdiction = self.prepared.jurisdiction.name.clone();
        Ok(Answer { student_id: question.student_id.clone(), report_year: year, jurisdiction, student, programs, indicators })
    }

    fn programs(&self, year: i32) -> Result<Vec<Program>> {
        let program = |row: &Row| {
            Some(Program {
                program_id: row.get("program_id")?.clone(),
                education_level: row.get("education_level").cloned(),
                status: row.get("status").cloned(),
                description: row.get("sentence").or_else(|| row.get("obstacle"))?.clone(),
                topics: vec![],
                key: row.get("program_key")?.clone(),
                obstacle: row.get("obstacle").cloned(),
            })
        };
        let programs = self.of(LISTING, year).map(|r| {
            program(r)
                .ok_or_else(|| Error::Config("sql/explain/program.sql must give program_key, program_id, sentence and obstacle".into()))
        });
        programs.collect()
    }

    /// What a view says about the student, or about the student in a program.
    fn topic(&self, view: &View, year: i32, program: Option<&str>, rules: Vec<RuleValue>) -> Option<Topic> {
        let facts = self.sentences(view, year, program, None);
        let topic = view.name.trim_start_matches("explain_").to_string();
        (!facts.is_empty()).then(|| Topic { topic, title: view.header.title.clone(), facts, rules })
    }

    fn sentences(&self, view: &View, year: i32, program: Option<&str>, part: Option<&str>) -> Vec<String> {
        let wanted = |r: &&Row| {
            let same = |column: &str, value: Option<&str>| {
                value.is_none() || r.get(column).is_none() || r.get(column).map(String::as_str) == value
            };
            same("program_key", program) && same("part", part)
        };
        self.of(&view.name, year).filter(wanted).filter_map(|r| r.get("sentence").cloned()).collect()
    }

    fn facts(&self, topics: &[String], year: i32, program: &Program) -> Vec<Fact> {
        let fact = |topic: &String| {
            let view = self.catalog().topic(topic)?;
            let facts = self.sentences(view, year, Some(&program.key), Explain::split(topic).1);
            Some(Fact { title: view.header.title.clone(), facts })
        };
        topics.iter().filter_map(fact).collect()
    }

    async fn indicators(&mut self, question: &Question, year: i32, programs: &[Program]) -> Result<Vec<Indicator>> {
        let asked = |id: &str| question.indicators.is_empty() || question.indicators.iter().any(|a| a.eq_ignore_ascii_case(id));
        let prepared = self.prepared;
        let reported = run::parameter::reported(&prepared.catalog, &prepared.jurisdiction, &[year])?;
        let known: Vec<&str> = reported.iter().filter_map(|(v, _)| v.indicator()).collect();
        if let Some(unknown) = question.indicators.iter().find(|a| !known.iter().any(|k| k.eq_ignore_ascii_case(a))) {
            return Err(Error::Config(format!(
                "{} reports no indicator {unknown:?} for {year}; it reports {}",
                prepared.jurisdiction.name,
                known.join(", ")
            )));
        }
        let mut indicators = Vec::new();
        for (view, _) in reported {
            if view.indicator().is_some_and(asked) {
                let rules = self.lineage.indicator_rules(&view.name).await?;
                indicators.push(self.indicator(view, year, programs, &rules)?);
            }
        }
        Ok(indicators)
    }

    fn indicator(&self, view: &View, year: i32, programs: &[Program], rules: &BTreeSet<String>) -> Result<Indicator> {
        let header = &view.header;
        let level = header.education_level.clone().unwrap_or_default();
        let of_level = programs.iter().filter(|p| p.education_level.as_ref().is_none_or(|l| *l == level));
        let programs: Vec<Decision> = of_level.map(|p| self.decision(view, year, p)).collect();
        Ok(Indicator {
            indicator: view.indicator().unwrap_or_default().to_string(),
            title: header.title.clone(),
            education_level: level,
            denominator: programs.iter().any(|p| p.denominator),
            numerator: programs.iter().any(|p| p.numerator),
            denominator_text: header.denominator_text.clone().unwrap_or_default(),
            numerator_text: header.numerator_text.clone().unwrap_or_default(),
            programs,
            rules: self.rule_values(rules, year)?,
            authority: header.authority.clone(),
        })
    }

    fn decision(&self, view: &View, year: i32, program: &Program) -> Decision {
        let id = view.indicator().unwrap_or_default();
        let is_here = |r: &&Row| r.get("indicator").is_some_and(|i| i == id) && r.get("program_key") == Some(&program.key);
        let explain = &view.header.explain;
        let program_id = program.program_id.clone();
        let Some(row) = self.of(MEMBERSHIP, year).find(is_here) else {
            let reason = Some(self.no_candidate(year, program));
            return Decision {
                program_id,
                candidate: false,
                denominator: false,
                numerator: false,
                exclusion: None,
                reason,
                denominator_facts: vec![],
                numerator_facts: vec![],
            };
        };
        let yes = |column: &str| row.get(column).is_some_and(|v| v == "true");
        let denominator = yes("denominator");
        let exclusion = row.get("exclusion").cloned();
        let reason = exclusion.as_ref().map(|code| self.meaning(code, id));
        let exclusion_is_own = exclusion.as_ref().is_none_or(|code| view.sql.contains(&format!("'{code}'")));
        let facts = |wanted: bool, topics: &[String]| if wanted { self.facts(topics, year, program) } else { vec![] };
        Decision {
            program_id,
            candidate: true,
            denominator,
            numerator: yes("numerator"),
            exclusion,
            reason,
            // A code that the indicator's own file does not give was given for all indicators alike, such as for a startup program.
            denominator_facts: match explain.topics().next() {
                None if exclusion_is_own => self.discovered(view, year, program),
                _ => facts(exclusion_is_own, &explain.denominator),
            },
            numerator_facts: facts(denominator, &explain.numerator),
        }
    }

    /// Why no indicator looks at a program.
    fn no_candidate(&self, year: i32, program: &Program) -> String {
        let concentrator = program.status.as_deref() == Some("concentrator");
        if let Some(obstacle) = &program.obstacle {
            return obstacle.clone();
        }
        if concentrator {
            let before = year - 1;
            return format!(
                "a concentrator, but nothing is recorded of the student in {before} or {year}, so the figures of {year} do not look at the student"
            );
        }
        let topics = self.catalog().get(LISTING).map(|v| v.header.explain.denominator.clone()).unwrap_or_default();
        self.facts(&topics, year, program).into_iter().flat_map(|f| f.facts).collect::<Vec<_>>().join("; ")
    }

    /// What an exclusion code means for an indicator.
    fn meaning(&self, code: &String, indicator: &str) -> String {
        let listed = self.rows.get("reference.exclusion").into_iter().flatten().find(|r| r.get("code") == Some(code));
        let about = listed.and_then(|r| r.get("meaning")).map(|m| about(m, indicator)).filter(|text| !text.is_empty());
        // The meaning may not speak of an agency's own indicator; the title speaks of any.
        about.or_else(|| listed?.get("title").map(|t| lower_first(t))).unwrap_or_else(|| code.clone())
    }

    fn rule_values(&self, rules: &BTreeSet<String>, year: i32) -> Result<Vec<RuleValue>> {
        rule_values(&self.prepared.jurisdiction, rules, year)
    }
}

/// The values of rules in a report year, in the order of their definitions.
fn rule_values(jurisdiction: &Jurisdiction, rules: &BTreeSet<String>, year: i32) -> Result<Vec<RuleValue>> {
    let definitions = jurisdiction.definitions.iter().filter(|d| rules.contains(&d.id));
    let value = |d: &crate::jurisdiction::Definition| {
        let value = jurisdiction.value(&d.id, year)?;
        Ok(RuleValue { rule: d.id.clone(), title: d.title.clone(), value: value.value.clone(), authority: value.authority.clone() })
    };
    definitions.map(value).collect()
}

/// Of a meaning such as `4S1: not enrolled; 3P1: not in the program.` what concerns an indicator, without the ids.
fn about(meaning: &str, indicator: &str) -> String {
    let part = |part: &str| match part.split_once(": ").and_then(|(ids, rest)| Some((ids_of(ids)?, rest))) {
        Some((ids, rest)) => ids.iter().any(|(from, to)| (from.as_str()..=to.as_str()).contains(&indicator)).then(|| rest.to_string()),
        None => Some(part.to_string()),
    };
    let text = meaning.trim_end_matches('.').split("; ").filter_map(part).collect::<Vec<_>>().join("; ");
    let without =
        text.rsplit_once(" (").filter(|(_, end)| end.strip_suffix(')').and_then(ids_of).is_some()).map(|(start, _)| start.to_string());
    lower_first(&without.unwrap_or(text))
}

/// The ranges of ids in a list such as `1S1, 2S1 to 2S3`; none if it is not one.
fn ids_of(text: &str) -> Option<Vec<(String, String)>> {
    let is_id = |t: &str| t.chars().next().is_some_and(|c| c.is_ascii_digit()) && t.chars().all(|c| c.is_ascii_alphanumeric());
    let range = |t: &str| {
        let (from, to) = t.trim().split_once(" to ").unwrap_or((t.trim(), t.trim()));
        (is_id(from) && is_id(to)).then(|| (from.to_string(), to.to_string()))
    };
    text.split(',').map(range).collect()
}

fn number(row: &Row, column: &str) -> i64 {
    row.get(column).and_then(|v| v.parse().ok()).unwrap_or_default()
}

/// All rows of a relation as text.
async fn rows(engine: &Engine, relation: &str) -> Result<Vec<Row>> {
    let (_, batches) = engine.query(&format!("SELECT * FROM {relation}")).await?;
    let mut rows = Vec::new();
    for batch in &batches {
        rows.extend(as_text(batch)?);
    }
    Ok(rows)
}

fn as_text(batch: &RecordBatch) -> Result<Vec<Row>> {
    let options = FormatOptions::default();
    let formatters =
        batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options)).collect::<std::result::Result<Vec<_>, _>>();
    let formatters = formatters.map_err(|e| Error::internal("the answer as text", e))?;
    let schema = batch.schema();
    let row = |i: usize| {
        let cells = schema.fields().iter().zip(batch.columns()).zip(&formatters).filter(|((_, c), _)| !arrow::array::Array::is_null(c, i));
        cells.map(|((f, _), text)| (f.name().clone(), text.value(i).to_string())).collect()
    };
    Ok((0..batch.num_rows()).map(row).collect())
}
