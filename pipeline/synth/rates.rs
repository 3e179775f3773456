//! What data/synth says, field by field.

use super::admission::AdmissionRates;
use super::calendar::grade_code;
use super::fiscal::FiscalRates;
use super::follow_up::FollowUpRates;
use super::measure::MeasureRates;
use super::pell::PellRates;
use super::words::{ByYear, Credits, Words};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A rate for schools and one for colleges.
pub(super) type Pair = [f64; 2];

/// rates.toml, and the files that are a table of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rates {
    pub nces_prefix: String,
    /// Domains of the contracts whose collections are made.
    pub domains: Vec<String>,
    pub id: Ids,
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
    pub admission: AdmissionRates,
    pub follow_up: FollowUpRates,
    pub pell: PellRates,
    pub measure: MeasureRates,
    pub fiscal: FiscalRates,
}

/// What ids look like.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ids {
    pub grantee: IdForm,
    pub district: IdForm,
    pub school: IdForm,
    pub college: IdForm,
    pub program: IdForm,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdForm {
    first: usize,
    digits: usize,
    #[serde(default)]
    after: String,
    #[serde(default)]
    of_district: usize,
}

impl IdForm {
    /// The id of the thing of this number, counted from 0, in this district.
    pub fn of(&self, number: usize, district: &str) -> String {
        let before = district.get(..self.of_district).unwrap_or_default();
        format!("{before}{:0digits$}{}", self.first + number, self.after, digits = self.digits)
    }
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
