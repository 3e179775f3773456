//! Days, quarters and grades.

/// A day, counted from 1 January 1970.
pub(super) type Day = i32;

/// The grades of `enrollment`, in the order in which they are numbered here.
pub(super) const GRADES: [&str; 9] = ["06", "07", "08", "09", "10", "11", "12", "SP", "PS"];
/// Grade 08.
pub(super) const EIGHT: u8 = 2;
/// Grade 09.
pub(super) const NINE: u8 = 3;
/// Postsecondary.
pub(super) const COLLEGE: u8 = 8;

/// The number of a grade.
pub(super) fn grade_code(text: &str) -> Option<u8> {
    GRADES.iter().position(|g| *g == text).map(|g| g as u8)
}

/// The day of a date of the Gregorian calendar.
pub(super) fn day(year: i32, month: i32, date: i32) -> Day {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + date - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and date of a day.
pub(super) fn civil(day: Day) -> (i32, i32, i32) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i32::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// The school year (1 July to 30 June) of a day.
pub(super) fn school_year(day: Day) -> i32 {
    let (year, month, _) = civil(day);
    year + i32::from(month >= 7)
}

/// Quarters counted from the year 0: quarter 1 of year 1 is 4.
pub(super) fn quarter(day: Day) -> i32 {
    let (year, month, _) = civil(day);
    year * 4 + (month - 1) / 3
}
