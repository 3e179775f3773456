//! The equations and bounds of one component: unknown counts as variables, relations as rows with coefficients of 1 and −1.

use super::pieces::Piece;
use crate::published::{Cell, Known, Line, Published};

/// No bound.
pub(super) const ENDLESS: i64 = 1 << 40;

/// Which students of a cell are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// All: the denominator.
    Denominator,
    /// Those who meet the indicator: the numerator.
    Numerator,
    /// Those who do not: denominator − numerator.
    Rest,
}

/// A fact about counts that anybody can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// A line of [`Published::lines`], by its index.
    Line(u32, Layer),
    /// A cover of [`Published::covers`], by its index.
    Cover(u32, Layer),
    /// A pair of [`Published::within`], by its index.
    Within(u32, Layer),
    /// A pair of [`Published::among`], by its index.
    Among(u32, Layer),
    /// A pair of [`Published::same`], by its index.
    Same(u32),
    /// 0 ≤ numerator ≤ denominator and what is shown of a cell (a band, the least that a hidden denominator can be).
    Cell(u32),
}

/// The unknown counts of one component and what holds for them.
#[derive(Debug, Default)]
pub(super) struct System {
    /// Cell (the first one, if several have the same students) and layer of each variable.
    pub owner: Vec<(u32, Layer)>,
    pub low: Vec<i64>,
    pub high: Vec<i64>,
    pub rows: Rows,
    /// What gives each row.
    pub relation: Vec<Relation>,
    /// Relations among known figures that do not hold.
    pub broken: Vec<Relation>,
    /// Variable or value of denominator, numerator and rest for each cell of the piece.
    pub terms: Vec<[Term; 3]>,
}

/// Rows `least ≤ Σ coefficient × variable ≤ most`.
#[derive(Debug, Default, Clone)]
pub(super) struct Rows {
    start: Vec<u32>,
    entry: Vec<(u32, i8)>,
    pub least: Vec<i64>,
    pub most: Vec<i64>,
}

impl Rows {
    pub fn count(&self) -> usize {
        self.least.len()
    }

    pub fn of(&self, row: usize) -> &[(u32, i8)] {
        &self.entry[self.start[row] as usize..self.start[row + 1] as usize]
    }

    pub fn equation(&self, row: usize) -> bool {
        self.least[row] == self.most[row]
    }

    pub fn push(&mut self, entries: &[(u32, i8)], least: i64, most: i64) {
        if self.start.is_empty() {
            self.start.push(0);
        }
        self.entry.extend_from_slice(entries);
        self.start.push(self.entry.len() as u32);
        self.least.push(least);
        self.most.push(most);
    }
}

/// A count as `constant + coefficient × variable` (coefficient 0: a known count).
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub constant: i64,
    pub coefficient: i8,
    pub variable: u32,
}

impl Term {
    fn known(constant: i64) -> Term {
        Term { constant, coefficient: 0, variable: 0 }
    }

    fn variable(variable: u32) -> Term {
        Term { constant: 0, coefficient: 1, variable }
    }
}

/// The interval of a count that is shown: a hidden one is at least `least`.
pub(super) fn interval(known: Known, least: i64) -> (i64, i64) {
    match known {
        Known::Exactly(value) => (value, value),
        Known::Between(low, high) => (low, high),
        Known::Hidden => (least, ENDLESS),
    }
}

impl System {
    /// Variables and rows of a piece; `place` gives each cell's position in the piece.
    pub fn of(published: &Published, piece: &Piece, place: &[u32]) -> System {
        let mut system = System::default();
        let class = classes(published, piece, place);
        system.denominators(published, piece, &class);
        for (i, &cell) in piece.cells.iter().enumerate() {
            system.numerator(i, cell, published.cells[cell as usize]);
        }
        system.lines(published, piece, place);
        for &cover in &piece.covers {
            let Line { total, parts } = &published.covers[cover as usize];
            let terms: Vec<_> =
                [(*total, 1)].into_iter().chain(parts.iter().map(|p| (*p, -1))).map(|(c, s)| (place[c as usize] as usize, s)).collect();
            for layer in [Layer::Denominator, Layer::Numerator] {
                let of_layer: Vec<_> = terms.iter().map(|(c, sign)| (system.terms[*c][layer as usize], *sign)).collect();
                system.row(of_layer.into_iter(), false, Relation::Cover(cover, layer));
            }
        }
        for &pair in &piece.within {
            let (part, whole) = published.within[pair as usize];
            let ends = [system.terms[place[part as usize] as usize], system.terms[place[whole as usize] as usize]];
            for layer in [Layer::Denominator, Layer::Numerator, Layer::Rest] {
                let [part, whole] = ends.map(|t| t[layer as usize]);
                system.row([(part, 1), (whole, -1)].into_iter(), false, Relation::Within(pair, layer));
            }
        }
        for &pair in &piece.among {
            let (part, whole) = published.among[pair as usize];
            let ends = [part, whole].map(|c| system.terms[place[c as usize] as usize]);
            for layer in [Layer::Denominator, Layer::Numerator] {
                let [part, whole] = ends.map(|t| t[layer as usize]);
                system.row([(part, 1), (whole, -1)].into_iter(), false, Relation::Among(pair, layer));
            }
        }
        if !piece.same.is_empty() {
            system.without_repetitions();
        }
        system
    }

    fn add(&mut self, cell: u32, layer: Layer, low: i64, high: i64) -> Term {
        self.owner.push((cell, layer));
        self.low.push(low);
        self.high.push(high);
        Term::variable(self.owner.len() as u32 - 1)
    }

    /// One variable for all cells of the same students.
    fn denominators(&mut self, published: &Published, piece: &Piece, class: &[u32]) {
        let mut bounds = vec![(i64::MIN, i64::MAX); class.len()];
        for (i, &cell) in piece.cells.iter().enumerate() {
            let cell = published.cells[cell as usize];
            let (low, high) = interval(cell.denominator, published.hidden_minimum.max(0));
            let bound = &mut bounds[class[i] as usize];
            *bound = (bound.0.max(low).max(interval(cell.numerator, 0).0), bound.1.min(high));
        }
        for (i, &cell) in piece.cells.iter().enumerate() {
            let first = class[i] as usize;
            let denominator = if first < i {
                self.terms[first][0]
            } else if bounds[i].0 == bounds[i].1 {
                Term::known(bounds[i].0)
            } else {
                self.add(cell, Layer::Denominator, bounds[i].0, bounds[i].1)
            };
            self.terms.push([denominator, Term::known(0), Term::known(0)]);
        }
    }

    /// Numerator and rest; the rest is a variable of its own only where denominator and numerator are unknown.
    fn numerator(&mut self, i: usize, cell: u32, shown: Cell) {
        let denominator = self.terms[i][0];
        let fixed = denominator.coefficient == 0;
        let (low, mut high) = interval(shown.numerator, 0);
        if fixed {
            high = high.min(denominator.constant);
        }
        let low = low.max(0);
        let numerator = if low == high { Term::known(low) } else { self.add(cell, Layer::Numerator, low, high) };
        let rest = match (fixed, low == high) {
            (true, true) => Term::known(denominator.constant - low),
            (true, false) => Term { constant: denominator.constant, coefficient: -1, variable: numerator.variable },
            (false, true) => Term { constant: -low, ..denominator },
            (false, false) => self.add(cell, Layer::Rest, 0, ENDLESS),
        };
        self.terms[i] = [denominator, numerator, rest];
        if !fixed && low != high {
            self.row([(denominator, 1), (numerator, -1), (rest, -1)].into_iter(), true, Relation::Cell(cell));
        } else if fixed && low == high && low > denominator.constant {
            self.broken.push(Relation::Cell(cell));
        }
    }

    fn lines(&mut self, published: &Published, piece: &Piece, place: &[u32]) {
        for &index in &piece.lines {
            let line = &published.lines[index as usize];
            let cells = || line.parts.iter().map(|&p| (p, -1)).chain([(line.total, 1)]).map(|(c, sign)| (place[c as usize] as usize, sign));
            let open = |layer: Layer| cells().any(|(c, _)| self.terms[c][layer as usize].coefficient != 0);
            // The rest follows from the others; it says more to bounds where both are open.
            let rest = open(Layer::Denominator) && open(Layer::Numerator);
            for layer in [Layer::Denominator, Layer::Numerator, Layer::Rest] {
                if layer != Layer::Rest || rest {
                    let terms: Vec<_> = cells().map(|(c, sign)| (self.terms[c][layer as usize], sign)).collect();
                    self.row(terms.into_iter(), true, Relation::Line(index, layer));
                }
            }
        }
    }

    /// Adds `Σ sign × term = 0`, or `≤ 0`.
    fn row(&mut self, terms: impl Iterator<Item = (Term, i8)>, equation: bool, relation: Relation) {
        let mut constant = 0;
        let mut entries: Vec<(u32, i8)> = Vec::new();
        for (term, sign) in terms {
            constant += term.constant * i64::from(sign);
            if term.coefficient != 0 {
                entries.push((term.variable, term.coefficient * sign));
            }
        }
        entries.sort_unstable();
        merge(&mut entries);
        let most = -constant;
        if entries.is_empty() {
            if most < 0 || equation && most != 0 {
                self.broken.push(relation);
            }
            return;
        }
        self.rows.push(&entries, if equation { most } else { -ENDLESS }, most);
        self.relation.push(relation);
    }

    /// Cells of the same students repeat the rows of denominators.
    fn without_repetitions(&mut self) {
        let mut order: Vec<usize> = (0..self.rows.count()).collect();
        let key = |r: &usize| (self.rows.of(*r), self.rows.least[*r], self.rows.most[*r], *r);
        order.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        let same = |a: usize, b: usize| {
            self.rows.of(a) == self.rows.of(b) && self.rows.least[a] == self.rows.least[b] && self.rows.most[a] == self.rows.most[b]
        };
        let mut kept: Vec<usize> = Vec::with_capacity(order.len());
        for row in order {
            if kept.last().is_none_or(|&k| !same(k, row)) {
                kept.push(row);
            }
        }
        kept.sort_unstable();
        let mut rows = Rows::default();
        kept.iter().for_each(|&r| rows.push(self.rows.of(r), self.rows.least[r], self.rows.most[r]));
        self.relation = kept.iter().map(|&r| self.relation[r]).collect();
        self.rows = rows;
    }
}

/// Adds up entries of the same variable in a sorted row.
pub(super) fn merge(entries: &mut Vec<(u32, i8)>) {
    if entries.windows(2).all(|w| w[0].0 != w[1].0) {
        return;
    }
    let mut merged: Vec<(u32, i8)> = Vec::new();
    for &(variable, coefficient) in entries.iter() {
        match merged.last_mut() {
            Some(last) if last.0 == variable => last.1 += coefficient,
            _ => merged.push((variable, coefficient)),
        }
    }
    merged.retain(|e| e.1 != 0);
    *entries = merged;
}

/// For each cell of the piece, the position of the first cell with the same students.
fn classes(published: &Published, piece: &Piece, place: &[u32]) -> Vec<u32> {
    let mut joined = super::pieces::Joined::new(piece.cells.len());
    for &pair in &piece.same {
        let (a, b) = published.same[pair as usize];
        joined.join(place[a as usize], place[b as usize]);
    }
    (0..piece.cells.len() as u32).map(|i| joined.first(i)).collect()
}

/// Some rows with their variables numbered anew (`variable` is among them), and which these are.
pub(super) fn cut(rows: &Rows, low: &[i64], high: &[i64], which: &[usize], variable: u32) -> (Rows, Vec<u32>, Vec<i64>, Vec<i64>) {
    let mut variables: Vec<u32> = which.iter().flat_map(|&r| rows.of(r).iter().map(|e| e.0)).chain([variable]).collect();
    variables.sort_unstable();
    variables.dedup();
    let mut cut = Rows::default();
    for &r in which {
        let place = |v: u32| variables.binary_search(&v).map_or(0, |p| p as u32);
        let entries: Vec<(u32, i8)> = rows.of(r).iter().map(|&(v, a)| (place(v), a)).collect();
        cut.push(&entries, rows.least[r], rows.most[r]);
    }
    let of = |bound: &[i64]| variables.iter().map(|&v| bound[v as usize]).collect();
    let (low, high) = (of(low), of(high));
    (cut, variables, low, high)
}
