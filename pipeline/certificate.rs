//! The certificate of a release and its verifier: two whole-number tables for each hidden count, that agree with everything published and differ in it.
//!
//! It shares no code with what hides (`disclosure`) or attacks (`audit`), so a mistake of theirs cannot hide here. Source: spec disclosure, "The attacker".

use crate::published::{Count, Field, Known, Move, Published, Table};

/// More students than anybody has: with larger counts, sums could run over.
const MOST: i64 = 1 << 40;

/// Why a certificate proves nothing. Cells are those of the release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The base table has another number of cells.
    #[error("the base table has not one denominator and one numerator for each cell")]
    Size,
    /// A relation or a difference names a cell that is not there.
    #[error("there is no cell {0}")]
    NoCell(u32),
    /// A count is not what is published of it, or not from 0 to its bound.
    #[error("table {table}: {count:?} is not what is published of it")]
    NotAsPublished {
        /// The base is 0, difference i is i + 1.
        table: usize,
        /// Which count.
        count: Count,
    },
    /// The parts of a line do not sum to its total.
    #[error("table {table}: line {line} does not add up")]
    Line {
        /// The base is 0, difference i is i + 1.
        table: usize,
        /// Index of the line.
        line: usize,
    },
    /// The parts that cover a total have fewer students, or fewer who count.
    #[error("table {table}: the parts of cover {cover} are fewer than its total")]
    TooFew {
        /// The base is 0, difference i is i + 1.
        table: usize,
        /// Index of the cover.
        cover: usize,
    },
    /// A cell within another has more students, or more who count.
    #[error("table {table}: cell {part} is not within cell {whole}")]
    NotWithin {
        /// The base is 0, difference i is i + 1.
        table: usize,
        /// The smaller cell.
        part: u32,
        /// The larger cell.
        whole: u32,
    },
    /// Cells of the same students have different numbers of them.
    #[error("table {table}: cells {a} and {b} have different denominators")]
    NotSame {
        /// The base is 0, difference i is i + 1.
        table: usize,
        /// One cell.
        a: u32,
        /// The other.
        b: u32,
    },
    /// A difference is not sorted, names a count twice, or does not change one, or by too much.
    #[error("difference {0} is not sorted, or changes a count by nothing or too much")]
    NotADifference(usize),
    /// A hidden count has one value in all tables.
    #[error("no two tables differ in {0:?}")]
    NotCovered(Count),
}

/// Checks that the base table, and the base table with each difference, agree with everything published, and that every count that is not shown differs
/// in one of them.
///
/// # Errors
/// The first fault.
pub fn verify(published: &Published, base: &Table, differences: &[Move]) -> Result<(), Fault> {
    let differs = proven(published, base, differences)?;
    hidden(published).find(|c| !differs.of(*c)).map_or(Ok(()), |c| Err(Fault::NotCovered(c)))
}

/// Every count that is not shown.
pub fn hidden(published: &Published) -> impl Iterator<Item = Count> + '_ {
    let of_cell = |(cell, shown): (u32, &crate::published::Cell)| {
        let fields = [(Field::Denominator, shown.denominator), (Field::Numerator, shown.numerator)];
        fields.into_iter().filter(|(_, known)| !matches!(known, Known::Exactly(_))).map(move |(field, _)| Count { cell, field })
    };
    (0..).zip(&published.cells).flat_map(of_cell)
}

/// Counts that two tables differ in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differs(Vec<[bool; 2]>);

impl Differs {
    /// Whether two tables differ in a count.
    pub fn of(&self, count: Count) -> bool {
        self.0[count.cell as usize][count.field as usize]
    }
}

/// Checks that the base table, and the base table with each difference, agree with everything published; gives the counts in which two of them
/// differ: none of these has only one possible value.
///
/// # Errors
/// The first fault.
pub fn proven(published: &Published, base: &Table, differences: &[Move]) -> Result<Differs, Fault> {
    let cells = published.cells.len();
    if base.denominator.len() != cells || base.numerator.len() != cells {
        return Err(Fault::Size);
    }
    let of_lines = published.lines.iter().chain(&published.covers).flat_map(|l| l.parts.iter().chain([&l.total]));
    let of_pairs = published.within.iter().chain(&published.among).chain(&published.same).flat_map(|(a, b)| [a, b]);
    let of_differences = differences.iter().flat_map(|d| d.change.iter().map(|(count, _)| &count.cell));
    if let Some(cell) = of_lines.chain(of_pairs).chain(of_differences).find(|c| **c as usize >= cells) {
        return Err(Fault::NoCell(*cell));
    }
    let relations = Relations::of(published);
    let mut table = base.clone();
    let everything: Vec<u32> = (0..cells as u32).collect();
    relations.check(published, &table, 0, &everything)?;
    let mut differs = vec![[false; 2]; cells];
    for (i, difference) in differences.iter().enumerate() {
        let changes = &difference.change;
        if !changes.windows(2).all(|w| w[0].0 < w[1].0) || changes.iter().any(|(_, by)| *by == 0 || !(-MOST..=MOST).contains(by)) {
            return Err(Fault::NotADifference(i));
        }
        changes.iter().for_each(|(count, by)| *value(&mut table, *count) += by);
        let touched: Vec<u32> = changes.iter().map(|(count, _)| count.cell).collect();
        relations.check(published, &table, i + 1, &touched)?;
        for (count, by) in changes {
            *value(&mut table, *count) -= by;
            differs[count.cell as usize][count.field as usize] = true;
        }
    }
    Ok(Differs(differs))
}

fn value(table: &mut Table, count: Count) -> &mut i64 {
    match count.field {
        Field::Denominator => &mut table.denominator[count.cell as usize],
        Field::Numerator => &mut table.numerator[count.cell as usize],
    }
}

/// For each cell its lines, and its pairs of `within` and of `same`, by index.
struct Relations {
    lines: Vec<Vec<u32>>,
    covers: Vec<Vec<u32>>,
    within: Vec<Vec<u32>>,
    among: Vec<Vec<u32>>,
    same: Vec<Vec<u32>>,
}

impl Relations {
    fn of(published: &Published) -> Self {
        let lists = || vec![Vec::new(); published.cells.len()];
        let mut relations = Relations { lines: lists(), covers: lists(), within: lists(), among: lists(), same: lists() };
        for (i, line) in (0..).zip(&published.lines) {
            line.parts.iter().chain([&line.total]).for_each(|c| relations.lines[*c as usize].push(i));
        }
        for (i, cover) in (0..).zip(&published.covers) {
            cover.parts.iter().chain([&cover.total]).for_each(|c| relations.covers[*c as usize].push(i));
        }
        for (i, (a, b)) in (0..).zip(&published.within) {
            [a, b].into_iter().for_each(|c| relations.within[*c as usize].push(i));
        }
        for (i, (a, b)) in (0..).zip(&published.among) {
            [a, b].into_iter().for_each(|c| relations.among[*c as usize].push(i));
        }
        for (i, (a, b)) in (0..).zip(&published.same) {
            [a, b].into_iter().for_each(|c| relations.same[*c as usize].push(i));
        }
        relations
    }

    /// Checks what concerns some cells.
    fn check(&self, published: &Published, table: &Table, number: usize, cells: &[u32]) -> Result<(), Fault> {
        for &cell in cells {
            let (d, n) = (table.denominator[cell as usize], table.numerator[cell as usize]);
            let shown = published.cells[cell as usize];
            let is_denominator = agrees(shown.denominator, d, published.hidden_minimum) && (0..=MOST).contains(&d);
            let is_numerator = agrees(shown.numerator, n, 0) && (0..=d).contains(&n);
            for (is_right, field) in [(is_denominator, Field::Denominator), (is_numerator, Field::Numerator)] {
                if !is_right {
                    return Err(Fault::NotAsPublished { table: number, count: Count { cell, field } });
                }
            }
            for &line in &self.lines[cell as usize] {
                let relation = &published.lines[line as usize];
                let adds_up =
                    |column: &[i64]| relation.parts.iter().map(|p| column[*p as usize]).sum::<i64>() == column[relation.total as usize];
                if !adds_up(&table.denominator) || !adds_up(&table.numerator) {
                    return Err(Fault::Line { table: number, line: line as usize });
                }
            }
            for &cover in &self.covers[cell as usize] {
                let relation = &published.covers[cover as usize];
                let suffice =
                    |column: &[i64]| relation.parts.iter().map(|p| column[*p as usize]).sum::<i64>() >= column[relation.total as usize];
                if !suffice(&table.denominator) || !suffice(&table.numerator) {
                    return Err(Fault::TooFew { table: number, cover: cover as usize });
                }
            }
            for &pair in &self.within[cell as usize] {
                let (part, whole) = published.within[pair as usize];
                let of = |c: u32| (table.denominator[c as usize], table.numerator[c as usize]);
                let ((d, n), (all, all_n)) = (of(part), of(whole));
                if d > all || n > all_n || d - n > all - all_n {
                    return Err(Fault::NotWithin { table: number, part, whole });
                }
            }
            for &pair in &self.among[cell as usize] {
                let (part, whole) = published.among[pair as usize];
                let exceeds = |column: &[i64]| column[part as usize] > column[whole as usize];
                if exceeds(&table.denominator) || exceeds(&table.numerator) {
                    return Err(Fault::NotWithin { table: number, part, whole });
                }
            }
            for &pair in &self.same[cell as usize] {
                let (a, b) = published.same[pair as usize];
                if table.denominator[a as usize] != table.denominator[b as usize] {
                    return Err(Fault::NotSame { table: number, a, b });
                }
            }
        }
        Ok(())
    }
}

fn agrees(known: Known, value: i64, least: i64) -> bool {
    match known {
        Known::Exactly(v) => v == value,
        Known::Between(first, last) => (first..=last).contains(&value),
        Known::Hidden => (least..=MOST).contains(&value),
    }
}
