//! Names: of files by pattern, of the year that a file's name has, and of columns that look alike.

/// Whether a file is meant by a pattern with `*` and `?`, in any letter case. A pattern with `/` is for the path in the raw folder, one without
/// for the file's name in any folder.
pub fn matches(pattern: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let text: Vec<char> = if pattern.contains('/') { path } else { name }.to_lowercase().chars().collect();
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    // The newest star can take one more character whenever what follows it does not fit.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The school year in a file's name: four digits by themselves, or two years in a row (`2023-24`, `2023_2024`), of which the second counts.
/// None if there is no year, or several.
pub fn year(path: &str) -> Option<i32> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let runs: Vec<&str> = name.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
    let (mut years, mut i) = (Vec::new(), 0);
    while i < runs.len() {
        let is_year = |run: &&str| run.len() == 4 && ("1990"..="2100").contains(run);
        if let Some(year) = runs.get(i).filter(|r| is_year(r)).and_then(|r| r.parse::<i32>().ok()) {
            let next = year + 1;
            let paired = runs.get(i + 1).is_some_and(|r| *r == next.to_string() || *r == format!("{:02}", next % 100));
            years.push(if paired { next } else { year });
            i += usize::from(paired);
        }
        i += 1;
    }
    years.dedup();
    if let [year] = years[..] { Some(year) } else { None }
}

/// A name without letter case, blanks and marks.
pub fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many characters must be put in, taken out or changed to make one text of the other.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let changed = before + usize::from(ca != *cb);
            before = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}

/// Longer names are not compared letter by letter.
const LONGEST: usize = 200;

/// The name that looks most like another, if any does.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a String>) -> Option<&'a String> {
    let wanted = folded(wanted);
    let near = |name: &'a String| {
        let folded = folded(name);
        let close = wanted.len() <= LONGEST && folded.len() <= LONGEST && !folded.is_empty();
        close.then(|| (distance(&wanted, &folded), name)).filter(|(d, _)| *d <= wanted.chars().count().max(3) / 3)
    };
    names.into_iter().filter_map(near).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Whether a name has a number in it that may be somebody's, as objects have that are kept by id.
pub fn may_be_a_number(name: &str) -> bool {
    const DIGITS: usize = 4;
    name.chars().filter(char::is_ascii_digit).count() >= DIGITS
}

/// Whether a first line has numbers, a date or a hash in it, as headers do not: then it is a record, and must not be shown. One short number is a
/// name: `504` is a plan.
pub fn is_record(header: &[String]) -> bool {
    let is_numeric = |cell: &&String| cell.chars().any(|c| c.is_ascii_digit()) && !cell.chars().any(char::is_alphabetic);
    let is_hash = |cell: &String| cell.len() >= 16 && cell.chars().all(|c| c.is_ascii_hexdigit());
    let numeric: Vec<&String> = header.iter().filter(is_numeric).collect();
    let numbers = numeric.len() > 1 || numeric.iter().any(|cell| may_be_a_number(cell) || header.len() < 3);
    numbers || header.iter().any(is_hash) || header.iter().all(String::is_empty)
}
