//! Second tables of counts that no simple move has: the attacker looks for them among the counts near by, everything farther away as it is in the
//! true table. What he finds there is a second table of the whole release too; what he does not find may still have one elsewhere.

use crate::published::{Cell, Count, Known, Line, Move, Published, Table};
use std::collections::{BTreeMap, BTreeSet};

/// Hidden cells that are near, at most.
const NEAR: usize = 300;

/// Finds differences to a table for some of these counts.
pub type Attacker<'a> = dyn Fn(&Published, &Table, &[Count]) -> Vec<Move> + Sync + 'a;

/// Gives second tables, and the counts that have none near.
pub fn second_tables(published: &Published, truth: &Table, counts: &[Count], attacker: &Attacker) -> (Vec<Move>, Vec<Count>) {
    let around = Around::of(published);
    let mut covered: BTreeSet<Count> = BTreeSet::new();
    let (mut moves, mut left) = (Vec::new(), Vec::new());
    for count in counts {
        if !covered.contains(count) {
            let part = around.part(published, truth, count.cell);
            let own = |m: &Move| Move {
                change: m.change.iter().map(|(c, by)| (Count { cell: part.origin[c.cell as usize], ..*c }, *by)).collect(),
            };
            let wanted = [Count { cell: 0, field: count.field }];
            for mut found in attacker(&part.published, &part.truth, &wanted).iter().map(own) {
                found.change.sort_unstable();
                covered.extend(found.change.iter().map(|c| c.0));
                moves.push(found);
            }
        }
        left.extend((!covered.contains(count)).then_some(*count));
    }
    (moves, left)
}

/// Relations of each cell, by index.
struct Around {
    lines: Vec<Vec<u32>>,
    covers: Vec<Vec<u32>>,
    within: Vec<Vec<u32>>,
    among: Vec<Vec<u32>>,
    same: Vec<Vec<u32>>,
}

/// A few cells with all their relations; those that are not to move are known.
struct Part {
    published: Published,
    truth: Table,
    origin: Vec<u32>,
    place: BTreeMap<u32, u32>,
}

impl Around {
    fn of(published: &Published) -> Around {
        let lists = || vec![Vec::new(); published.cells.len()];
        let mut around = Around { lines: lists(), covers: lists(), within: lists(), among: lists(), same: lists() };
        for (list, lines) in [(&mut around.lines, &published.lines), (&mut around.covers, &published.covers)] {
            for (i, line) in (0..).zip(lines) {
                line.parts.iter().chain([&line.total]).for_each(|c| list[*c as usize].push(i));
            }
        }
        let lists = [(&mut around.within, &published.within), (&mut around.among, &published.among), (&mut around.same, &published.same)];
        for (list, pairs) in lists {
            for (i, (a, b)) in (0..).zip(pairs) {
                [a, b].into_iter().for_each(|c| list[*c as usize].push(i));
            }
        }
        around
    }

    /// The hidden cells near a cell, itself first.
    fn near(&self, published: &Published, cell: u32) -> Vec<u32> {
        let is_hidden = |c: u32| {
            let Cell { denominator, numerator } = published.cells[c as usize];
            !matches!((denominator, numerator), (Known::Exactly(_), Known::Exactly(_)))
        };
        let (mut near, mut known, mut at) = (vec![cell], BTreeSet::from([cell]), 0);
        while let Some(&cell) = near.get(at).filter(|_| near.len() < NEAR) {
            let covers = self.covers[cell as usize].iter().map(|c| &published.covers[*c as usize]);
            let lines = self.lines[cell as usize].iter().map(|l| &published.lines[*l as usize]).chain(covers);
            let of_lines = lines.flat_map(|l| l.parts.iter().chain([&l.total]).copied());
            let of_pairs = |list: &[Vec<u32>], pairs: &[(u32, u32)]| -> Vec<u32> {
                list[cell as usize].iter().map(|p| pairs[*p as usize]).flat_map(|(a, b)| [a, b]).collect()
            };
            let others = of_lines
                .chain(of_pairs(&self.within, &published.within))
                .chain(of_pairs(&self.among, &published.among))
                .chain(of_pairs(&self.same, &published.same));
            near.extend(others.filter(|c| is_hidden(*c) && known.insert(*c)).collect::<Vec<_>>());
            at += 1;
        }
        near
    }

    fn part(&self, published: &Published, truth: &Table, cell: u32) -> Part {
        let near = self.near(published, cell);
        let mut part = Part {
            published: Published { hidden_minimum: published.hidden_minimum, ..Published::default() },
            truth: Table::default(),
            origin: vec![],
            place: BTreeMap::new(),
        };
        for c in &near {
            part.add(*c, published.cells[*c as usize], truth);
        }
        let of = |list: &[Vec<u32>]| near.iter().flat_map(|c| list[*c as usize].clone()).collect::<BTreeSet<u32>>();
        for line in of(&self.lines) {
            let line = part.line(&published.lines[line as usize], truth);
            part.published.lines.push(line);
        }
        for cover in of(&self.covers) {
            let cover = part.line(&published.covers[cover as usize], truth);
            part.published.covers.push(cover);
        }
        for pair in of(&self.within) {
            let pair = part.pair(published.within[pair as usize], truth);
            part.published.within.push(pair);
        }
        for pair in of(&self.among) {
            let pair = part.pair(published.among[pair as usize], truth);
            part.published.among.push(pair);
        }
        for pair in of(&self.same) {
            let pair = part.pair(published.same[pair as usize], truth);
            part.published.same.push(pair);
        }
        part
    }
}

impl Part {
    fn line(&mut self, line: &Line, truth: &Table) -> Line {
        Line { total: self.fixed(line.total, truth), parts: line.parts.iter().map(|c| self.fixed(*c, truth)).collect() }
    }

    fn pair(&mut self, (a, b): (u32, u32), truth: &Table) -> (u32, u32) {
        (self.fixed(a, truth), self.fixed(b, truth))
    }

    /// A cell that is there, or as it is in the true table.
    fn fixed(&mut self, cell: u32, truth: &Table) -> u32 {
        let (d, n) = (truth.denominator[cell as usize], truth.numerator[cell as usize]);
        self.add(cell, Cell { denominator: Known::Exactly(d), numerator: Known::Exactly(n) }, truth)
    }

    fn add(&mut self, cell: u32, shown: Cell, truth: &Table) -> u32 {
        if let Some(&there) = self.place.get(&cell) {
            return there;
        }
        let new = self.origin.len() as u32;
        self.origin.push(cell);
        self.place.insert(cell, new);
        self.published.cells.push(shown);
        self.truth.denominator.push(truth.denominator[cell as usize]);
        self.truth.numerator.push(truth.numerator[cell as usize]);
        new
    }
}

/// The attacker of this program: his second tables of some counts.
pub fn attack(published: &Published, truth: &Table, counts: &[Count]) -> Vec<Move> {
    let cells: Vec<u32> = counts.iter().map(|c| c.cell).collect();
    let attack = crate::audit::attack_again(published, 1, Some(&cells), Some(truth));
    // Only differences to the true table are of use here, from which the attacker starts.
    let is_wanted = |m: &&Move| attack.base == *truth && m.change.iter().any(|c| counts.contains(&c.0));
    attack.moves.iter().filter(is_wanted).cloned().collect()
}
