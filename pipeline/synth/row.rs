//! Rows as bytes of CSV, by collection and school year.

use super::calendar::{Day, civil};
use super::contract::Contract;
use super::dirt::Dirt;
use super::tally::{Counted, Tally};

/// The collections that are written by school year. A row's fields are written in the contract's order; a test compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collection {
    Student,
    Enrollment,
    ProgramEnrollment,
    CteCourse,
    Assessment,
    Exit,
    Placement,
    WorkBasedLearning,
    Credential,
    PostsecondaryCredit,
    Resident,
    Application,
    GraduateFollowUp,
    Pell,
    AdmissionProcedure,
    SchoolMeasure,
    Subaward,
    Outlay,
    Allocation,
}

/// For each collection, whether and as which one it is made.
pub(super) type Places = [Option<usize>; Collection::ALL.len()];

impl Collection {
    /// All, in the order of their numbers.
    pub const ALL: [Collection; 19] = [
        Collection::Student,
        Collection::Enrollment,
        Collection::ProgramEnrollment,
        Collection::CteCourse,
        Collection::Assessment,
        Collection::Exit,
        Collection::Placement,
        Collection::WorkBasedLearning,
        Collection::Credential,
        Collection::PostsecondaryCredit,
        Collection::Resident,
        Collection::Application,
        Collection::GraduateFollowUp,
        Collection::Pell,
        Collection::AdmissionProcedure,
        Collection::SchoolMeasure,
        Collection::Subaward,
        Collection::Outlay,
        Collection::Allocation,
    ];

    /// Its name in the contracts.
    pub fn name(self) -> &'static str {
        match self {
            Collection::Student => "student",
            Collection::Enrollment => "enrollment",
            Collection::ProgramEnrollment => "program_enrollment",
            Collection::CteCourse => "cte_course",
            Collection::Assessment => "assessment",
            Collection::Exit => "exit",
            Collection::Placement => "placement",
            Collection::WorkBasedLearning => "work_based_learning",
            Collection::Credential => "credential",
            Collection::PostsecondaryCredit => "postsecondary_credit",
            Collection::Resident => "resident",
            Collection::Application => "application",
            Collection::GraduateFollowUp => "graduate_follow_up",
            Collection::Pell => "pell",
            Collection::AdmissionProcedure => "admission_procedure",
            Collection::SchoolMeasure => "school_measure",
            Collection::Subaward => "subaward",
            Collection::Outlay => "outlay",
            Collection::Allocation => "allocation",
        }
    }
}

/// Rows of one collection and school year.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The lines.
    pub bytes: Vec<u8>,
    /// How many.
    pub rows: u64,
}

/// The rows of some students, or of the state.
pub(super) struct Out<'a> {
    /// By collection that is made, then school year.
    pub pages: Vec<Page>,
    /// What is counted of the rows.
    pub tally: Tally,
    places: &'a Places,
    dirt: Option<Dirt<'a>>,
    /// Whether a `student` row of the present student was written: rows of students whom no year knows would have to be rejected.
    known: bool,
    first_year: i32,
    years: usize,
    separators: Vec<usize>,
}

impl<'a> Out<'a> {
    /// Empty pages for these years.
    pub fn new(first_year: i32, years: usize, places: &'a Places, pages: Vec<Page>, dirt: Option<Dirt<'a>>) -> Out<'a> {
        let mut pages = pages;
        pages.resize_with(places.iter().flatten().count() * years, Page::default);
        Out { pages, tally: Tally::default(), places, dirt, known: false, first_year, years, separators: Vec::with_capacity(32) }
    }

    /// Whether the collection is made.
    pub fn makes(&self, collection: Collection) -> bool {
        self.place(collection).is_some()
    }

    fn place(&self, collection: Collection) -> Option<usize> {
        self.places.get(collection as usize).copied().flatten()
    }

    /// Counts one, if its school year is wanted and the student known.
    pub fn count(&mut self, what: Counted, at: usize, school_year: i32) {
        if self.known && self.wants(school_year) {
            self.tally.add(what, at, school_year);
        }
    }

    /// Goes on to another student, whose numbers are these.
    pub fn start(&mut self, seed: u64, numbers: &[u64]) {
        self.known = false;
        if let Some(dirt) = &mut self.dirt {
            dirt.start(seed, numbers);
        }
    }

    /// Goes on to the rows that are no student's.
    pub fn start_state(&mut self, seed: u64) {
        self.start(seed, &[]);
        self.known = true;
    }

    fn wants(&self, school_year: i32) -> bool {
        school_year >= self.first_year && school_year < self.first_year + self.years as i32
    }

    /// A new row, if its school year is wanted and the student known.
    pub fn row(&mut self, collection: Collection, school_year: i32) -> Option<Row<'_, 'a>> {
        self.known |= collection == Collection::Student && self.wants(school_year);
        if !self.known || !self.wants(school_year) {
            return None;
        }
        let place = self.place(collection)?;
        let page = self.pages.get_mut(place * self.years + (school_year - self.first_year) as usize)?;
        self.separators.clear();
        let start = page.bytes.len();
        Some(Row { page, start, collection, school_year, separators: &mut self.separators, dirt: self.dirt.as_mut() })
    }
}

/// A row being written, field by field.
pub(super) struct Row<'r, 'a> {
    page: &'r mut Page,
    start: usize,
    collection: Collection,
    school_year: i32,
    separators: &'r mut Vec<usize>,
    dirt: Option<&'r mut Dirt<'a>>,
}

impl Row<'_, '_> {
    fn field(self) -> Self {
        self.page.bytes.push(b',');
        self.separators.push(self.page.bytes.len());
        self
    }

    /// Text that needs no quotes: codes and ids.
    pub fn code(self, text: &str) -> Self {
        self.page.bytes.extend_from_slice(text.as_bytes());
        self.field()
    }

    /// A word and a number, such as a course's code.
    pub fn numbered(self, word: &str, number: i32) -> Self {
        self.page.bytes.extend_from_slice(word.as_bytes());
        self.int(number)
    }

    /// Any text.
    pub fn text(self, text: &str) -> Self {
        quoted(&mut self.page.bytes, text);
        self.field()
    }

    /// Nothing.
    pub fn null(self) -> Self {
        self.field()
    }

    /// A code, or nothing.
    pub fn maybe(self, text: Option<&str>) -> Self {
        self.code(text.unwrap_or(""))
    }

    /// A whole number, such as a year.
    pub fn int(self, value: i32) -> Self {
        digits(&mut self.page.bytes, value.unsigned_abs(), 1);
        self.field()
    }

    /// Yes, no, or not reported.
    pub fn flag(self, value: Option<bool>) -> Self {
        match value {
            Some(true) => self.page.bytes.push(b'Y'),
            Some(false) => self.page.bytes.push(b'N'),
            None => {}
        }
        self.field()
    }

    /// A decimal in hundredths.
    pub fn hundredths(self, value: i64) -> Self {
        decimal(&mut self.page.bytes, value);
        self.field()
    }

    /// A date, or nothing.
    pub fn date(self, value: Option<Day>) -> Self {
        if let Some(value) = value {
            let (year, month, date) = civil(value);
            digits(&mut self.page.bytes, year.unsigned_abs(), 4);
            self.page.bytes.push(b'-');
            digits(&mut self.page.bytes, month.unsigned_abs(), 2);
            self.page.bytes.push(b'-');
            digits(&mut self.page.bytes, date.unsigned_abs(), 2);
        }
        self.field()
    }

    /// Ends the row.
    pub fn end(self) {
        if let Some(last) = self.page.bytes.last_mut() {
            *last = b'\n';
        }
        self.page.rows += 1;
        if let Some(dirt) = self.dirt {
            dirt.pass(self.collection, self.school_year, self.page, self.start, self.separators);
        }
    }
}

/// Writes a number with at least so many digits.
pub(super) fn digits(bytes: &mut Vec<u8>, value: u32, least: usize) {
    let mut space = [b'0'; 10];
    let mut rest = value;
    let mut at = space.len();
    while rest > 0 || space.len() - at < least {
        at -= 1;
        if let Some(digit) = space.get_mut(at) {
            *digit = b'0' + (rest % 10) as u8;
        }
        rest /= 10;
    }
    bytes.extend_from_slice(space.get(at..).unwrap_or_default());
}

/// Writes hundredths as a decimal.
pub(super) fn decimal(bytes: &mut Vec<u8>, hundredths: i64) {
    digits(bytes, (hundredths / 100) as u32, 1);
    bytes.push(b'.');
    digits(bytes, (hundredths % 100) as u32, 2);
}

/// Writes text, in quotes where CSV asks for them.
pub(super) fn quoted(bytes: &mut Vec<u8>, text: &str) {
    if text.bytes().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r')) {
        bytes.push(b'"');
        bytes.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        bytes.push(b'"');
    } else {
        bytes.extend_from_slice(text.as_bytes());
    }
}

/// The contracts of all these collections, in their order.
pub(super) fn contracts() -> crate::error::Result<Vec<Contract>> {
    Collection::ALL.iter().map(|c| Contract::of(c.name())).collect()
}
