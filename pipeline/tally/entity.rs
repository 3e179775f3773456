//! What is known of one entity's students, and how it is counted.

/// Measures and groups are bits of a signed 64-bit mask, so there are fewer of each than this.
const BITS: usize = 64;

/// Figures beyond this, and twice what was left the last time, are added up before more are taken in.
const FIGURES: usize = 4 * BITS;

/// One row of a student and program, or several rows of one student joined.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub student: i32,
    pub denominators: i64,
    pub numerators: i64,
    pub groups: i64,
}

impl Row {
    fn join(&mut self, other: Row) {
        self.denominators |= other.denominators;
        self.numerators |= other.numerators;
        self.groups |= other.groups;
    }
}

/// Students of one measure and group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    pub measure: u8,
    pub group: u8,
    pub numerator: u32,
    pub denominator: u32,
}

/// An entity: figures of students who are counted, rows of students who are in no other program, and rows of those who may be.
#[derive(Debug, Default)]
pub struct Entity {
    figures: Vec<Figure>,
    figures_after_adding: usize,
    only: Vec<Row>,
    several: Vec<Row>,
}

impl Entity {
    /// Takes in a row.
    pub fn push(&mut self, row: Row, is_only: bool) {
        match self.several.last_mut() {
            _ if is_only && row.denominators == 0 => {}
            _ if is_only => self.only.push(row),
            Some(last) if last.student == row.student => last.join(row),
            _ => self.several.push(row),
        }
    }

    /// Takes in students who are counted.
    pub fn extend(&mut self, figures: impl Iterator<Item = Figure>) {
        self.figures.extend(figures);
        if self.figures.len() > FIGURES + 2 * self.figures_after_adding {
            let mut counter = Counter::default();
            self.figures.drain(..).for_each(|f| counter.add(f));
            counter.take(|f| self.figures.push(f));
            self.figures_after_adding = self.figures.len();
        }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.figures.capacity() * size_of::<Figure>() + (self.only.capacity() + self.several.capacity()) * size_of::<Row>()
    }

    /// Gives the figures of the students who need not be told apart, and the others' rows, one for each student in the order of students.
    pub fn split(mut self, counter: &mut Counter, figure: impl FnMut(Figure)) -> Vec<Row> {
        self.figures.iter().for_each(|f| counter.add(*f));
        self.only.iter().for_each(|r| counter.count(r));
        counter.take(figure);
        if !self.several.is_sorted_by_key(|r| r.student) {
            self.several.sort_by_key(|r| r.student);
        }
        self.several.dedup_by(|next, kept| {
            let same = next.student == kept.student;
            if same {
                kept.join(*next);
            }
            same
        });
        self.several
    }

    /// Gives the figures of all students, each once, in the order of measure and group.
    pub fn count(self, counter: &mut Counter, figure: impl FnMut(Figure)) {
        let mut counted = vec![];
        let rows = self.split(counter, |f| counted.push(f));
        counted.into_iter().for_each(|f| counter.add(f));
        rows.iter().for_each(|r| counter.count(r));
        counter.take(figure);
    }
}

/// Room to add up the figures of one entity after the other.
#[derive(Debug)]
pub struct Counter {
    /// Numerator and denominator by measure and group.
    counts: Vec<(u32, u32)>,
    /// The groups of each measure that have a count.
    groups: [u64; BITS],
    measures: u64,
}

impl Default for Counter {
    fn default() -> Self {
        Counter { counts: vec![(0, 0); BITS * BITS], groups: [0; BITS], measures: 0 }
    }
}

impl Counter {
    fn count(&mut self, row: &Row) {
        self.measures |= row.denominators as u64;
        for measure in bits(row.denominators as u64) {
            self.groups[measure] |= row.groups as u64;
            let met = (row.numerators >> measure & 1) as u32;
            for group in bits(row.groups as u64) {
                let count = &mut self.counts[measure * BITS + group];
                count.0 += met;
                count.1 += 1;
            }
        }
    }

    fn add(&mut self, f: Figure) {
        let (measure, group) = (usize::from(f.measure), usize::from(f.group));
        self.measures |= 1 << measure;
        self.groups[measure] |= 1 << group;
        let count = &mut self.counts[measure * BITS + group];
        count.0 += f.numerator;
        count.1 += f.denominator;
    }

    /// Gives the counts, in the order of measure and group, and starts anew.
    fn take(&mut self, mut figure: impl FnMut(Figure)) {
        for measure in bits(std::mem::take(&mut self.measures)) {
            for group in bits(std::mem::take(&mut self.groups[measure])) {
                let (numerator, denominator) = std::mem::take(&mut self.counts[measure * BITS + group]);
                figure(Figure { measure: measure as u8, group: group as u8, numerator, denominator });
            }
        }
    }
}

/// Positions of the bits that are set, from the lowest.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (mask != 0).then(|| {
            let bit = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            bit
        })
    })
}
