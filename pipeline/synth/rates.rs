//! What data/synth says: rates, names and programs, and what differs for a jurisdiction.

use super::calendar::grade_code;
use super::random::Weights;
use crate::error::{Error, Result};
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;

static SYNTH: Dir = include_dir!("$CARGO_MANIFEST_DIR/data/synth");

/// A rate for schools and one for colleges.
pub(super) type Pair = [f64; 2];

/// A table of words with weights. TOML tables are read in the order of their keys, so a draw does not depend on the order in the file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "BTreeMap<String, f64>")]
pub(super) struct Words {
    pub words: Vec<String>,
    pub weights: Weights,
}

impl From<BTreeMap<String, f64>> for Words {
    fn from(map: BTreeMap<String, f64>) -> Words {
        Words { weights: Weights::new(map.values().copied()), words: map.into_keys().collect() }
    }
}

impl Words {
    /// A word by its weight.
    pub fn draw(&self, rng: &mut super::random::Rng) -> &str {
        self.words.get(self.weights.draw(rng)).map_or("", String::as_str)
    }
}

/// A table of credits with weights, in hundredths.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, f64>")]
pub(super) struct Credits {
    values: Vec<i64>,
    weights: Weights,
}

impl TryFrom<BTreeMap<String, f64>> for Credits {
    type Error = String;
    fn try_from(map: BTreeMap<String, f64>) -> std::result::Result<Credits, String> {
        let values = map.keys().map(|k| hundredths(k).ok_or_else(|| format!("`{k}` is no number of credits such as 1.50")));
        Ok(Credits { values: values.collect::<std::result::Result<_, _>>()?, weights: Weights::new(map.into_values()) })
    }
}

impl Credits {
    /// Credits by their weight, in hundredths.
    pub fn draw(&self, rng: &mut super::random::Rng) -> i64 {
        self.values.get(self.weights.draw(rng)).copied().unwrap_or(100)
    }
}

/// `1.5` as 150.
pub(super) fn hundredths(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = match part.len() {
        0 => 0,
        1 => part.parse::<i64>().ok()? * 10,
        2 => part.parse::<i64>().ok()?,
        _ => return None,
    };
    Some(whole.parse::<i64>().ok()? * 100 + part)
}

/// A rate by school year: that of the latest year given that is not later, else the first.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "BTreeMap<String, f64>")]
pub(super) struct ByYear(BTreeMap<i32, f64>);

impl TryFrom<BTreeMap<String, f64>> for ByYear {
    type Error = String;
    fn try_from(map: BTreeMap<String, f64>) -> std::result::Result<ByYear, String> {
        let year = |k: String| k.parse::<i32>().map_err(|_| format!("`{k}` is no year"));
        map.into_iter().map(|(k, v)| Ok((year(k)?, v))).collect::<std::result::Result<_, String>>().map(ByYear)
    }
}

impl ByYear {
    /// The rate of a school year.
    pub fn of(&self, year: i32) -> f64 {
        self.0.range(..=year).next_back().or_else(|| self.0.iter().next()).map_or(0.0, |(_, rate)| *rate)
    }
}

/// rates.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rates {
    pub nces_prefix: String,
    pub population: Population,
    pub size: Size,
    pub program: ProgramRates,
    pub gender: BTreeMap<String, Pair>,
    pub gender_effect: BTreeMap<String, f64>,
    pub race: BTreeMap<String, Pair>,
    pub race_effect: BTreeMap<String, f64>,
    pub flag: Vec<Flag>,
    pub path: Vec<LifePath>,
    pub exit: ExitRates,
    pub mobility: Mobility,
    pub engagement: Engagement,
    pub course: CourseRates,
    pub assessment: AssessmentRates,
    pub placement: PlacementRates,
    pub work_based_learning: WorkBasedLearning,
    pub credential: CredentialRates,
    pub postsecondary_credit: CreditRates,
    pub college: College,
    pub oddity: Oddity,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Population {
    pub postsecondary: f64,
    pub middle: f64,
    pub middle_earlier: f64,
    pub continues: f64,
    pub both: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Size {
    pub students_per_school: f64,
    pub schools_per_district: f64,
    pub districts_per_grantee: f64,
    pub students_per_college: f64,
    pub students_per_program: f64,
    pub school_programs: [usize; 2],
    pub college_programs: [usize; 2],
    pub district_with_two_grantees: f64,
    pub renamed: f64,
    pub regrouped: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProgramRates {
    pub new: f64,
    pub startup: f64,
    pub closed: f64,
    pub recoded: f64,
    pub renamed: f64,
}

/// A yes-or-no field of `student`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flag {
    pub name: String,
    pub rate: Pair,
    #[serde(default)]
    pub effect: f64,
    #[serde(default)]
    pub change: f64,
    #[serde(default)]
    pub absent: f64,
    #[serde(default)]
    pub poverty: bool,
    pub implies: Option<String>,
    #[serde(default)]
    pub races: BTreeMap<String, f64>,
}

/// A way through high school.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LifePath {
    #[serde(rename = "name")]
    _name: String,
    pub weight: f64,
    #[serde(default)]
    pub slope: f64,
    #[serde(default = "one")]
    pub cte: f64,
    pub needs: Option<String>,
    pub grades: Vec<Grade>,
    pub exits: Vec<PathExit>,
}

fn one() -> f64 {
    1.0
}

/// A grade's place in the list of grades, or none for a year outside the state's schools.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Grade(pub Option<u8>);

impl TryFrom<String> for Grade {
    type Error = String;
    fn try_from(text: String) -> std::result::Result<Grade, String> {
        if text == "-" {
            return Ok(Grade(None));
        }
        grade_code(&text).map(|g| Grade(Some(g))).ok_or_else(|| format!("`{text}` is no grade such as 09, 12, SP, or - for a year away"))
    }
}

/// An exit on a path.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PathExit {
    pub after: i32,
    pub kind: String,
    pub when: When,
}

/// The season of an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum When {
    June,
    Summer,
    Autumn,
    During,
    Undated,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExitRates {
    pub institution_absent: f64,
    pub next_row_year: f64,
    pub place: Vec<String>,
    pub completes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mobility {
    pub moves: f64,
    pub visits: f64,
    pub same_district: f64,
    pub new_cohort: f64,
    pub out_of_district: f64,
    pub out_of_district_absent: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Engagement {
    pub reference: i32,
    pub growth: f64,
    pub steady: f64,
    pub sampler: f64,
    pub steady_year: [f64; 5],
    pub sampler_year: [f64; 5],
    pub second_program: f64,
    pub mirrored: f64,
    pub elsewhere: f64,
    pub no_course: f64,
    pub no_enrollment: f64,
    pub flagged_primary: f64,
    pub advantage: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CourseRates {
    pub more: Pair,
    pub third: f64,
    pub two_terms: f64,
    pub passed: f64,
    pub passed_slope: f64,
    pub failed_with_credits: f64,
    pub middle_credits: Vec<f64>,
    pub credits: Credits,
    pub college_credits: Credits,
    pub levels: [[f64; 3]; 3],
    pub not_specific: f64,
    pub specific_absent: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssessmentRates {
    pub grade: Grade,
    pub taken: f64,
    pub taken_slope: f64,
    pub valid: f64,
    pub level_absent: f64,
    pub again: f64,
    pub retaken: f64,
    pub needs: String,
    pub other_kind: f64,
    pub kind: Vec<AssessmentKind>,
    pub subject: Vec<Subject>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssessmentKind {
    pub name: String,
    pub levels: i32,
    pub cut: i32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subject {
    pub name: String,
    pub proficient: f64,
    pub slope: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlacementRates {
    pub study: Pair,
    pub study_slope: f64,
    pub work: Pair,
    pub work_slope: f64,
    pub other: Pair,
    pub present: f64,
    pub both: f64,
    pub survey: f64,
    pub not_placed: f64,
    pub summer_study: f64,
    pub high: Pair,
    pub study_kinds: Words,
    pub work_kinds: Words,
    pub other_kinds: Words,
    pub none_kinds: Words,
    pub study_source: Words,
    pub work_source: Words,
    pub other_source: Words,
    pub survey_source: Words,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkBasedLearning {
    pub grade_factor: [f64; 5],
    pub by_year: ByYear,
    pub slope: f64,
    pub date_absent: f64,
    pub hours_absent: f64,
    pub second: f64,
    pub kinds: Words,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CredentialRates {
    pub steady: f64,
    pub completed: f64,
    pub left: f64,
    pub slope: f64,
    pub recognized: f64,
    pub program_absent: f64,
    pub edge: f64,
    pub codes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreditRates {
    pub grade_factor: [f64; 5],
    pub rate: f64,
    pub slope: f64,
    pub kinds: Words,
    pub credits: Credits,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct College {
    pub years: [f64; 4],
    pub completed: [f64; 4],
    pub completed_short: f64,
    pub completed_slope: f64,
    pub left: f64,
    pub pause: f64,
    pub courses: [i32; 2],
    pub second_program: f64,
    pub elsewhere: f64,
    pub primary_absent: f64,
    pub primary_both: f64,
    pub completed_again: f64,
    pub summer: f64,
    pub end_edge: f64,
    pub cte: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Oddity {
    pub gender_changes: f64,
    pub race_changes: f64,
    pub race_unknown: f64,
    pub unknown_institution: f64,
    pub middle_exit: f64,
    pub military_not_armed_forces: f64,
    pub many_credits: f64,
    pub exit_before_cohort: f64,
}

/// program.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Offers {
    pub school: Vec<Offer>,
    pub college: Vec<Offer>,
}

/// A program that may be offered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Offer {
    pub cip: String,
    pub name: String,
    pub code: String,
    pub cluster: String,
    pub weight: usize,
    pub female: f64,
    #[serde(default)]
    pub short_cip: bool,
    pub career_cluster: Option<String>,
    #[serde(default)]
    pub credits: Vec<f64>,
}

/// name.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Names {
    pub person: PersonNames,
    pub place: PlaceNames,
    pub kind: KindNames,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonNames {
    pub female: Vec<String>,
    pub male: Vec<String>,
    pub any: Vec<String>,
    pub last: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceNames {
    pub first: Vec<String>,
    pub second: Vec<String>,
    pub direction: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KindNames {
    pub high_school: Vec<String>,
    pub small_school: Vec<String>,
    pub middle_school: String,
    pub center: String,
    pub district: String,
    pub college: Vec<String>,
    pub consortium: String,
}

/// Everything under data/synth for a jurisdiction.
#[derive(Debug)]
pub(super) struct Sources {
    pub rates: Rates,
    pub offers: Offers,
    pub names: Names,
}

/// Reads data/synth, with the jurisdiction's values over the base.
pub(super) fn load(jurisdiction: &str) -> Result<Sources> {
    let overlay_path = format!("jurisdiction/{jurisdiction}.toml");
    if SYNTH.get_file(&overlay_path).is_none() {
        let known = SYNTH.get_dir("jurisdiction").into_iter().flat_map(|d| d.files());
        let known: Vec<_> = known.filter_map(|f| f.path().file_stem().and_then(|s| s.to_str())).collect();
        let message =
            format!("no rates for jurisdiction `{jurisdiction}`; use one of: {}, or add data/synth/{overlay_path}", known.join(", "));
        return Err(Error::Config(message));
    }
    let mut rates = table("rates.toml")?;
    lay_over(&mut rates, table(&overlay_path)?);
    Ok(Sources {
        rates: typed("rates.toml", rates)?,
        offers: typed("program.toml", table("program.toml")?)?,
        names: typed("name.toml", table("name.toml")?)?,
    })
}

fn table(path: &str) -> Result<toml::Table> {
    let text = SYNTH.get_file(Path::new(path)).and_then(|f| f.contents_utf8());
    let text = text.ok_or_else(|| Error::bug(format!("data/synth/{path} is not in the program")))?;
    text.parse().map_err(|e| Error::Config(format!("data/synth/{path}: {e}")))
}

fn typed<T: DeserializeOwned>(path: &str, table: toml::Table) -> Result<T> {
    T::deserialize(table).map_err(|e| Error::Config(format!("data/synth/{path} (with the jurisdiction's values over it): {e}")))
}

fn lay_over(base: &mut toml::Table, overlay: toml::Table) {
    for (key, value) in overlay {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
