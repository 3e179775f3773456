//! Attacks all pieces of what is published, and puts together what was found.

use super::domain::Domain;
use super::explain::Explainer;
use super::pieces::{Joined, Piece, Pieces};
use super::solve::{Part, Solved, solve};
use super::system::{Layer, Relation, System};
use crate::published::{Count, Field, Known, Move, Published, Table};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A count that is not shown and has only one possible value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which count.
    pub count: Count,
    /// Its value, in students.
    pub value: i64,
    /// The relations that give it away, in an order in which a person can follow them; none can be left out where the list is short.
    pub because: Vec<Relation>,
}

/// What an attack found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attack {
    /// Counts that are given away, by cell.
    pub findings: Vec<Finding>,
    /// Counts that the budget was too small for, by cell. A release with any must not be published.
    pub undecided: Vec<Count>,
    /// Relations that no whole-number table fulfils together: each list is a contradiction of its own. The hidden counts near it are
    /// undecided.
    pub contradictions: Vec<Vec<Relation>>,
    /// A table that agrees with everything published (0 where a count is undecided for want of one).
    pub base: Table,
    /// Second tables, as differences to the base. Every hidden count that is neither a finding nor undecided is in at least one.
    pub moves: Vec<Move>,
}

impl Attack {
    /// Nothing is given away, everything was decided, and the figures do not contradict each other.
    pub fn clean(&self) -> bool {
        self.findings.is_empty() && self.undecided.is_empty() && self.contradictions.is_empty()
    }
}

/// What was found in one piece.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    undecided: Vec<Count>,
    contradictions: Vec<Vec<Relation>>,
    base: Vec<(Count, i64)>,
    moves: Vec<Move>,
}

/// Attacks everything on so many threads; the result does not depend on their number.
pub fn attack(published: &Published, threads: usize) -> Attack {
    attack_again(published, threads, None, None)
}

/// Attacks only the pieces that have one of the cells (all without a list): after a change of these cells or of relations between them,
/// when the rest was attacked before. The base is complete for these pieces and for shown figures.
///
/// Who has a table that agrees with everything published can give it as `example`, and saves the search for a first one; where it does not
/// agree, it is not used. What is found does not depend on it: it is true of all tables, and a second table is looked for from any first
/// one.
pub fn attack_again(published: &Published, threads: usize, cells: Option<&[u32]>, example: Option<&Table>) -> Attack {
    let Pieces { pieces, shown } = Pieces::of(published);
    let chosen = chosen(&pieces, published.cells.len(), cells);
    let mut order: Vec<usize> = (0..pieces.len()).filter(|&p| chosen[p]).collect();
    order.sort_by_key(|&p| (std::cmp::Reverse(pieces[p].cells.len()), p));
    let results: Vec<Mutex<Option<Found>>> = pieces.iter().map(|_| Mutex::new(None)).collect();
    let pieces: Vec<Mutex<Piece>> = pieces.into_iter().map(Mutex::new).collect();
    let implied = super::implied::implied(published);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut place = vec![0; published.cells.len()];
        while let Some(&p) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut piece = std::mem::take(&mut *lock(&pieces[p]));
            piece.complete(published, &mut place);
            *lock(&results[p]) = Some(attack_piece(published, &piece, &place, &implied, example));
        }
    };
    std::thread::scope(|scope| {
        (1..threads.max(1)).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    let found = results.into_iter().filter_map(|r| r.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
    together(published, &shown, found)
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn chosen(pieces: &[Piece], cells: usize, only: Option<&[u32]>) -> Vec<bool> {
    let Some(only) = only else { return vec![true; pieces.len()] };
    let mut wanted = vec![false; cells];
    only.iter().for_each(|&c| wanted[c as usize] = true);
    pieces.iter().map(|p| p.cells.iter().any(|&c| wanted[c as usize])).collect()
}

fn together(published: &Published, shown: &Piece, found: impl Iterator<Item = Found>) -> Attack {
    let value = |known: Known| if let Known::Exactly(value) = known { value } else { 0 };
    let mut attack = Attack {
        base: Table {
            denominator: published.cells.iter().map(|c| value(c.denominator)).collect(),
            numerator: published.cells.iter().map(|c| value(c.numerator)).collect(),
        },
        ..Attack::default()
    };
    let mut piece = Piece { cells: Vec::new(), ..shown.clone() };
    let mut place = vec![0; published.cells.len()];
    piece.complete(published, &mut place);
    attack.contradictions.extend(System::of(published, &piece, &place).broken.into_iter().map(|r| vec![r]));
    for found in found {
        attack.findings.extend(found.findings);
        attack.undecided.extend(found.undecided);
        attack.contradictions.extend(found.contradictions);
        attack.moves.extend(found.moves);
        for (count, value) in found.base {
            let column = if count.field == Field::Denominator { &mut attack.base.denominator } else { &mut attack.base.numerator };
            column[count.cell as usize] = value;
        }
    }
    attack.findings.sort_by_key(|f| f.count);
    attack.undecided.sort_unstable();
    attack
}

/// The hidden counts of a piece, by variable; those without a variable have a value already.
struct Counts {
    of: Vec<Vec<Count>>,
    valued: Vec<(Count, i64, Relation)>,
}

impl Counts {
    fn of(published: &Published, piece: &Piece, system: &System) -> Counts {
        let mut counts = Counts { of: vec![Vec::new(); system.owner.len()], valued: Vec::new() };
        for (i, &cell) in piece.cells.iter().enumerate() {
            let shown = published.cells[cell as usize];
            for (field, known) in [(Field::Denominator, shown.denominator), (Field::Numerator, shown.numerator)] {
                if matches!(known, Known::Exactly(_)) {
                    continue;
                }
                let term = system.terms[i][field as usize];
                let count = Count { cell, field };
                if term.coefficient == 0 {
                    counts.valued.push((count, term.constant, Relation::Cell(cell)));
                } else {
                    counts.of[term.variable as usize].push(count);
                }
            }
        }
        counts
    }
}

fn attack_piece(published: &Published, piece: &Piece, place: &[u32], implied: &[bool], example: Option<&Table>) -> Found {
    let system = System::of(published, piece, place);
    let counts = Counts::of(published, piece, &system);
    let mut found = Found::default();
    let all = || counts.valued.iter().map(|v| v.0).chain(counts.of.iter().flatten().copied());
    let mut domain = Domain::new(&system.rows, system.low.clone(), system.high.clone());
    let crossed = (0..system.owner.len()).any(|v| system.low[v] > system.high[v]);
    if crossed || !system.broken.is_empty() || domain.settle().is_err() {
        found.contradictions = super::explain::contradictions(&system, &domain);
        found.undecided = all().collect();
        return found;
    }
    for &(count, value, relation) in &counts.valued {
        let because = super::explain::shown(published, piece, count, relation);
        found.findings.push(Finding { count, value, because });
        found.base.push((count, value));
    }
    let explainer = Explainer::new(&system);
    for v in 0..system.owner.len() {
        if domain.fixed(v) && !counts.of[v].is_empty() {
            let because = explainer.settled(&domain, v as u32);
            found.pin(&counts.of[v], domain.low[v], &because);
        }
    }
    for (part, variables) in parts(&system, &domain, &counts, implied) {
        let example = example.map(|table| variables.iter().map(|&v| value_in(table, system.owner[v as usize])).collect());
        let solved = solve(&part, example);
        found.add(solved, &variables, &counts, &explainer);
    }
    found
}

/// The value of a variable in a table.
fn value_in(table: &Table, (cell, layer): (u32, Layer)) -> i64 {
    let of = |column: &[i64]| column.get(cell as usize).copied().unwrap_or(0);
    match layer {
        Layer::Denominator => of(&table.denominator),
        Layer::Numerator => of(&table.numerator),
        Layer::Rest => of(&table.denominator) - of(&table.numerator),
    }
}

impl Found {
    fn pin(&mut self, counts: &[Count], value: i64, because: &[Relation]) {
        for &count in counts {
            self.findings.push(Finding { count, value, because: because.to_vec() });
            self.base.push((count, value));
        }
    }

    fn add(&mut self, solved: Solved, variables: &[u32], counts: &Counts, explainer: &Explainer) {
        let of = |v: u32| &counts.of[variables[v as usize] as usize];
        let Some(base) = solved.base else {
            self.undecided.extend((0..variables.len() as u32).flat_map(of));
            if solved.contradicts {
                self.contradictions.push(explainer.relations(variables));
            }
            return;
        };
        for &v in &solved.pinned {
            let because = explainer.searched(variables[v as usize], base[v as usize]);
            for &count in of(v) {
                self.findings.push(Finding { count, value: base[v as usize], because: because.clone() });
            }
        }
        self.undecided.extend(solved.undecided.iter().flat_map(|&v| of(v)));
        self.base.extend((0..variables.len() as u32).flat_map(|v| of(v).iter().map(|&c| (c, base[v as usize])).collect::<Vec<_>>()));
        for change in solved.moves {
            let mut change: Vec<(Count, i64)> = change.iter().flat_map(|&(v, d)| of(v).iter().map(move |&c| (c, d))).collect();
            change.sort_unstable();
            self.moves.push(Move { change });
        }
    }
}

/// The parts that are left when settled variables and rows that hold anyhow are taken out: each with its variables in the system.
fn parts(system: &System, domain: &Domain, counts: &Counts, implied: &[bool]) -> Vec<(Part, Vec<u32>)> {
    let variables = system.owner.len();
    let mut joined = Joined::new(variables);
    let rows: Vec<usize> = (0..system.rows.count()).filter(|&r| !domain.certain(r)).collect();
    for &r in &rows {
        let mut open = system.rows.of(r).iter().map(|e| e.0).filter(|&v| !domain.fixed(v as usize));
        if let Some(first) = open.next() {
            open.for_each(|v| joined.join(first, v));
        }
    }
    let (mut number, mut place) = (vec![u32::MAX; variables], vec![0u32; variables]);
    let mut parts: Vec<(Part, Vec<u32>)> = Vec::new();
    for v in (0..variables).filter(|&v| !domain.fixed(v)) {
        let first = joined.first(v as u32) as usize;
        if number[first] == u32::MAX {
            number[first] = parts.len() as u32;
            parts.push((Part::default(), Vec::new()));
        }
        let (part, members) = &mut parts[number[first] as usize];
        (number[v], place[v]) = (number[first], members.len() as u32);
        members.push(v as u32);
        part.low.push(domain.low[v]);
        part.high.push(domain.high[v]);
        part.counted.push(!counts.of[v].is_empty());
        part.layer.push(system.owner[v].1);
    }
    for &r in &rows {
        let mut fixed = 0;
        let mut entries = Vec::new();
        let mut part = u32::MAX;
        for &(v, a) in system.rows.of(r) {
            if domain.fixed(v as usize) {
                fixed += domain.low[v as usize] * i64::from(a);
            } else {
                part = number[v as usize];
                entries.push((place[v as usize], a));
            }
        }
        if let Some((part, _)) = parts.get_mut(part as usize) {
            let least = if system.rows.equation(r) { system.rows.least[r] - fixed } else { system.rows.least[r] };
            part.rows.push(&entries, least, system.rows.most[r] - fixed);
            part.relation.push(system.relation[r]);
            part.implied.push(matches!(system.relation[r], Relation::Line(l, _) if implied[l as usize]));
        }
    }
    parts
}
