//! Dates as foreign files write them: a format such as `%m/%d/%Y`, and the calendar quarter and school year of a day.

/// Names of months by their first three letters.
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/// School years begin with this month.
const FIRST_MONTH: u32 = 7;

/// A piece of a date format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Year,
    Month,
    MonthName,
    Day,
    Text(char),
    /// Whatever follows, such as a time.
    Rest,
}

/// How a date is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format(Vec<Piece>);

/// A calendar day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Year, four digits.
    pub year: i32,
    /// Month, from 1.
    pub month: u32,
    /// Day of the month, from 1.
    pub day: u32,
}

/// A calendar quarter, counted from the year 0; its first is January to March.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarter(i32);

impl Format {
    /// Reads a format: `%Y` year, `%m` month, `%d` day, `%b` the name of the month, `*` at the end whatever follows; all else stands for itself.
    pub fn parse(text: &str) -> Result<Format, String> {
        let wrong =
            |what: &str| format!("date format {text:?}: {what}; use %Y (four digits), %m, %d, %b (Jan) and, at the end, * for a time");
        let (mut pieces, mut chars) = (Vec::new(), text.chars().peekable());
        while let Some(c) = chars.next() {
            pieces.push(match c {
                '%' => match chars.next() {
                    Some('Y') => Piece::Year,
                    Some('m') => Piece::Month,
                    Some('b') => Piece::MonthName,
                    Some('d') => Piece::Day,
                    Some('y') => return Err(wrong("a year of two digits may be of any century")),
                    other => return Err(wrong(&format!("%{} is not known", other.map(String::from).unwrap_or_default()))),
                },
                '*' if chars.peek().is_none() => Piece::Rest,
                '*' => return Err(wrong("* must be the end")),
                c => Piece::Text(c),
            });
        }
        let count = |wanted: &[Piece]| pieces.iter().filter(|p| wanted.contains(p)).count();
        if count(&[Piece::Year]) != 1 || count(&[Piece::Month, Piece::MonthName]) != 1 || count(&[Piece::Day]) != 1 {
            return Err(wrong("it must have a year, a month and a day, each once"));
        }
        Ok(Format(pieces))
    }

    /// The day that a text names, if it is written so.
    pub fn read(&self, text: &str) -> Option<Date> {
        let (mut rest, mut date) = (text, Date { year: 0, month: 0, day: 0 });
        for (i, piece) in self.0.iter().enumerate() {
            // Next to another number, a month or day has its two digits.
            let most = 2;
            let least = if matches!(self.0.get(i + 1), Some(Piece::Year | Piece::Month | Piece::Day)) { 2 } else { 1 };
            match piece {
                Piece::Year => date.year = number(&mut rest, 4, 4)? as i32,
                Piece::Month => date.month = number(&mut rest, least, most)?,
                Piece::Day => date.day = number(&mut rest, least, most)?,
                Piece::MonthName => date.month = month(&mut rest)?,
                Piece::Text(c) => rest = rest.strip_prefix(*c)?,
                Piece::Rest => rest = "",
            }
        }
        (rest.is_empty() && date.exists()).then_some(date)
    }
}

/// Takes a number of so many digits from the front.
fn number(rest: &mut &str, least: usize, most: usize) -> Option<u32> {
    let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, after) = rest.split_at(digits);
    *rest = after;
    (digits >= least).then(|| number.parse().ok()).flatten()
}

/// Takes the name of a month, whole or its first three letters, in any letter case.
fn month(rest: &mut &str) -> Option<u32> {
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (name, after) = rest.split_at(letters);
    *rest = after;
    let place = MONTHS.iter().position(|m| name.get(..3).is_some_and(|n| n.eq_ignore_ascii_case(m)))?;
    Some(place as u32 + 1)
}

impl Date {
    fn exists(self) -> bool {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let days = DAYS.get(self.month.wrapping_sub(1) as usize).map_or(0, |d| d + u32::from(leap && self.month == 2));
        self.year > 0 && (1..=days).contains(&self.day)
    }

    /// The calendar quarter that it is in.
    pub fn quarter(self) -> Quarter {
        Quarter(self.year * 4 + (self.month as i32 - 1) / 3)
    }

    /// The school year that it is in: 1 July 2023 to 30 June 2024 is 2024.
    pub fn school_year(self) -> i32 {
        self.year + i32::from(self.month >= FIRST_MONTH)
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Quarter {
    /// The quarter so many later.
    pub fn later(self, quarters: u32) -> Quarter {
        Quarter(self.0.saturating_add(quarters as i32))
    }

    /// Its calendar year.
    pub fn year(self) -> i32 {
        self.0.div_euclid(4)
    }

    /// Its number in the year, from 1.
    pub fn number(self) -> i32 {
        self.0.rem_euclid(4) + 1
    }
}
