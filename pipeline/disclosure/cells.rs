//! The figures of linked cohorts, in one order whatever order they came in, and the relations between them.

use super::release::{EntityLine, Figure, Membership, Release, ReleaseError};
use super::treatment::Treatment;
use crate::published::Count;
use std::collections::{BTreeMap, BTreeSet};

/// Sums: of each, the total and then the parts.
#[derive(Debug, Default)]
pub struct Lines {
    ends: Vec<u32>,
    members: Vec<u32>,
}

impl Lines {
    fn push(&mut self, total: u32, parts: &[u32]) {
        self.members.push(total);
        self.members.extend_from_slice(parts);
        self.ends.push(self.members.len() as u32);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The total, then the parts.
    pub fn get(&self, line: u32) -> &[u32] {
        let from = if line == 0 { 0 } else { self.ends[line as usize - 1] };
        &self.members[from as usize..self.ends[line as usize] as usize]
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> + Clone {
        (0..self.len() as u32).map(|l| self.get(l))
    }
}

/// Figures of cohorts that are linked: no other cohort has a relation with one of them.
#[derive(Debug, Default)]
pub struct Cells {
    /// By cohort, entity, group.
    pub figures: Vec<Figure>,
    /// Index in the release.
    pub origin: Vec<u32>,
    /// As an earlier release showed them.
    pub prior: Vec<Option<Treatment>>,
    /// Counts that an attacker found in an earlier try.
    pub found: Vec<Count>,
    /// Level of the entity.
    pub levels: Vec<u8>,
    /// For each cohort here, where its figures end.
    pub cohort_ends: Vec<u32>,
    /// Sums of entities and of partitions; then (from `by_chance` on) covers whose parts happen to sum to the total: nobody is told that they do, but
    /// as they have no room they move like sums.
    pub lines: Lines,
    /// The first line that is a sum by chance.
    pub by_chance: u32,
    /// The total and then the parts of covers with room: the parts share students.
    pub covers: Lines,
    /// (part, whole): groups of students of one entity.
    pub within: Vec<(u32, u32)>,
    /// (part, whole): students, and those who count, but who does not count in the part may count in the whole.
    pub among: Vec<(u32, u32)>,
    /// The fewest students, but not none, that the figure leaves outside it of the same cell of a cohort that contains it.
    pub outside: Vec<i64>,
    /// Figures of the same students; totals of one part are not among them.
    pub same: Vec<(u32, u32)>,
}

impl Cells {
    /// The figures of a cohort here.
    pub fn cohort(&self, index: usize) -> std::ops::Range<u32> {
        (if index == 0 { 0 } else { self.cohort_ends[index - 1] })..self.cohort_ends[index]
    }

    /// Students, and those who count.
    fn counts(&self, i: u32) -> (i64, i64) {
        let f = &self.figures[i as usize];
        (f.denominator, f.numerator.unwrap_or(0))
    }

    fn sum(&self, parts: &[u32]) -> (i64, i64) {
        parts.iter().map(|i| self.counts(*i)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    }

    /// Adds parts that cover a total. Fails if they do not.
    fn add_cover(&mut self, total: u32, parts: &[u32]) -> Result<(), ()> {
        let (sum, whole) = (self.sum(parts), self.counts(total));
        match sum == whole {
            // One part is the whole, and known to be.
            true if parts.len() == 1 => {}
            true => self.lines.push(total, parts),
            false if parts.len() > 1 && sum.0 >= whole.0 && sum.1 >= whole.1 => self.covers.push(total, parts),
            false => return Err(()),
        }
        Ok(())
    }
}

/// Splits a release into linked cohorts, and checks that its figures agree.
pub fn split(release: &Release) -> Result<Vec<Cells>, ReleaseError> {
    let order = ordered(release)?;
    let cohorts = order.last().map_or(0, |f| release.figures[*f as usize].cohort as usize + 1);
    let mut linked = Classes::new(cohorts);
    let cohort_of = |figure: u32| release.figures.get(figure as usize).map(|f| u32::from(f.cohort)).ok_or(ReleaseError::Figure(figure));
    for (a, b) in &release.same {
        linked.join(cohort_of(*a)?, cohort_of(*b)?);
    }
    for &(whole, part) in release.contains.iter().filter(|(w, p)| (*w.max(p) as usize) < cohorts) {
        linked.join(u32::from(whole), u32::from(part));
    }
    let mut sets: Vec<Cells> = (0..cohorts).map(|_| Cells::default()).collect();
    let mut place = vec![(0u32, 0u32); order.len()];
    let mut last = None;
    let (outside, contained) = contained(release, &order)?;
    for figure in order {
        let f = release.figures[figure as usize];
        let set = linked.find(u32::from(f.cohort));
        let cells = &mut sets[set as usize];
        place[figure as usize] = (set, cells.figures.len() as u32);
        if last.replace(f.cohort) != Some(f.cohort) {
            cells.cohort_ends.push(0);
        }
        cells.figures.push(f);
        cells.origin.push(figure);
        cells.outside.push(outside[figure as usize]);
        cells.prior.push(release.prior.get(figure as usize).copied().flatten());
        cells.levels.push(release.entities[f.entity as usize]);
        if let Some(end) = cells.cohort_ends.last_mut() {
            *end = cells.figures.len() as u32;
        }
    }
    for &(a, b) in &release.same {
        let ((set, a), (_, b)) = (place[a as usize], place[b as usize]);
        sets[set as usize].same.push((a.min(b), a.max(b)));
    }
    let is_covered: BTreeSet<&(u16, u16)> = release.covered.iter().collect();
    let mut covers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (part, whole) in contained {
        let ((set, p), (_, w)) = (place[part as usize], place[whole as usize]);
        let (part, of_whole) = (release.figures[part as usize], release.figures[whole as usize]);
        // A part of as many students is the whole.
        if (part.denominator, part.numerator) == (of_whole.denominator, of_whole.numerator) {
            sets[set as usize].same.push((p.min(w), p.max(w)));
        } else {
            sets[set as usize].within.push((p, w));
        }
        if is_covered.contains(&(of_whole.cohort, part.cohort)) {
            covers.entry(whole).or_default().push(p);
        }
    }
    for count in &release.found {
        let &(set, cell) = place.get(count.cell as usize).ok_or(ReleaseError::Figure(count.cell))?;
        sets[set as usize].found.push(Count { cell, field: count.field });
    }
    relate(release, &mut sets)?;
    for (whole, parts) in &covers {
        let (set, total) = place[*whole as usize];
        let f = release.figures[*whole as usize];
        let failed = |()| ReleaseError::Sum { cohort: f.cohort, entity: f.entity, group: f.group };
        sets[set as usize].add_cover(total, parts).map_err(failed)?;
    }
    sets.retain(|s| !s.figures.is_empty());
    Ok(sets)
}

/// Figures by index: part and whole.
type Pairs = Vec<(u32, u32)>;

/// For each figure, the fewest students that it leaves outside it of a cohort that contains its own, and the pairs of such figures (part, whole);
/// figures by cohort, entity and group.
fn contained(release: &Release, order: &[u32]) -> Result<(Vec<i64>, Pairs), ReleaseError> {
    let mut pairs = Vec::new();
    let figure = |i: &u32| release.figures[*i as usize];
    let of_cohort = |c: u16| {
        let from = order.partition_point(|i| figure(i).cohort < c);
        &order[from..order.partition_point(|i| figure(i).cohort <= c)]
    };
    let mut outside = vec![i64::MAX; release.figures.len()];
    for &(whole, part) in &release.contains {
        let mut wholes = of_cohort(whole).iter().peekable();
        for i in of_cohort(part) {
            let f = figure(i);
            while wholes.next_if(|w| (figure(w).entity, figure(w).group) < (f.entity, f.group)).is_some() {}
            let is_same = |w: &&&u32| (figure(w).entity, figure(w).group) == (f.entity, f.group);
            let Some(index) = wholes.peek().filter(is_same).map(|w| **w) else { continue };
            let w = figure(&index);
            if f.denominator > 0 {
                pairs.push((*i, index));
            }
            if f.denominator > w.denominator {
                return Err(ReleaseError::Sum { cohort: f.cohort, entity: f.entity, group: f.group });
            }
            if f.denominator < w.denominator {
                outside[*i as usize] = outside[*i as usize].min(w.denominator - f.denominator);
            }
        }
    }
    Ok((outside, pairs))
}

/// Figures by cohort, entity and group.
fn ordered(release: &Release) -> Result<Vec<u32>, ReleaseError> {
    let all_is_first = |(i, g): (usize, &super::release::Group)| (i == 0) == (g.membership == Membership::All);
    if !release.groups.iter().enumerate().all(all_is_first) {
        return Err(ReleaseError::Groups);
    }
    if !release.prior.is_empty() && release.prior.len() != release.figures.len() {
        return Err(ReleaseError::Prior { figures: release.figures.len(), prior: release.prior.len() });
    }
    for (i, f) in release.figures.iter().enumerate() {
        let is_there = (f.entity as usize) < release.entities.len() && (f.group as usize) < release.groups.len();
        if !is_there || f.denominator < 0 || f.numerator.is_some_and(|n| n < 0 || n > f.denominator) {
            return Err(ReleaseError::Figure(i as u32));
        }
    }
    let key = |i: &u32| {
        let f = &release.figures[*i as usize];
        (f.cohort, f.entity, f.group)
    };
    let mut order: Vec<u32> = (0..release.figures.len() as u32).collect();
    if !order.is_sorted_by_key(key) {
        order.sort_unstable_by_key(key);
    }
    match order.windows(2).find(|w| key(&w[0]) == key(&w[1])) {
        Some(w) => {
            let (cohort, entity, group) = key(&w[0]);
            Err(ReleaseError::Twice { cohort, entity, group })
        }
        None => Ok(order),
    }
}

/// Finds lines, and what is within what.
fn relate(release: &Release, sets: &mut [Cells]) -> Result<(), ReleaseError> {
    let mut entity_lines: Vec<&EntityLine> = release.lines.iter().collect();
    entity_lines.sort_unstable();
    entity_lines.dedup();
    for set in sets.iter_mut().filter(|s| !s.figures.is_empty()) {
        for cohort in 0..set.cohort_ends.len() {
            let rows = Rows::new(set, cohort, release.entities.len());
            let name = set.figures[rows.first as usize].cohort;
            let from = entity_lines.partition_point(|l| l.cohort < name);
            for line in entity_lines[from..].iter().take_while(|l| l.cohort == name) {
                add_entity_line(set, &rows, line, release.groups.len())?;
            }
            for entity in 0..release.entities.len() as u32 {
                add_groups(release, set, rows.of(entity))?;
            }
        }
        set.by_chance = set.lines.len() as u32;
    }
    for set in sets {
        for &(a, b) in &set.same {
            if set.figures[a as usize].denominator != set.figures[b as usize].denominator {
                return Err(ReleaseError::Same(set.origin[a as usize], set.origin[b as usize]));
            }
        }
    }
    Ok(())
}

/// The figures of one cohort by entity.
struct Rows {
    first: u32,
    starts: Vec<u32>,
}

impl Rows {
    fn new(set: &Cells, cohort: usize, entities: usize) -> Self {
        let range = set.cohort(cohort);
        let figures = &set.figures[range.start as usize..range.end as usize];
        let mut starts = vec![0; entities + 1];
        figures.iter().for_each(|f| starts[f.entity as usize + 1] += 1);
        for e in 0..entities {
            starts[e + 1] += starts[e];
        }
        Rows { first: range.start, starts }
    }

    fn of(&self, entity: u32) -> std::ops::Range<u32> {
        self.first + self.starts[entity as usize]..self.first + self.starts[entity as usize + 1]
    }
}

/// The sums of one entity, for every group.
fn add_entity_line(set: &mut Cells, rows: &Rows, line: &EntityLine, groups: usize) -> Result<(), ReleaseError> {
    let there = |e: &u32| (*e as usize) < rows.starts.len() - 1;
    if let Some(entity) = std::iter::once(&line.total).chain(&line.parts).find(|e| !there(e)) {
        return Err(ReleaseError::Line { cohort: line.cohort, entity: *entity });
    }
    let mut parts: Vec<Vec<u32>> = vec![Vec::new(); groups];
    let mut entities = line.parts.clone();
    entities.sort_unstable();
    for i in entities.iter().flat_map(|e| rows.of(*e)).filter(|i| set.figures[*i as usize].denominator > 0) {
        parts[set.figures[i as usize].group as usize].push(i);
    }
    let mut totals = vec![None; groups];
    rows.of(line.total).for_each(|i| totals[set.figures[i as usize].group as usize] = Some(i));
    for (group, (total, parts)) in totals.into_iter().zip(&parts).enumerate() {
        add_line(set, total, parts).map_err(|()| ReleaseError::Sum { cohort: line.cohort, entity: line.total, group: group as u16 })?;
    }
    Ok(())
}

/// Adds a sum, unless it is 0. Fails if it is none.
fn add_line(set: &mut Cells, total: Option<u32>, parts: &[u32]) -> Result<(), ()> {
    let sum = set.sum(parts);
    match total {
        Some(total) if set.counts(total) == sum => {
            if sum.0 > 0 {
                set.lines.push(total, parts);
            }
            Ok(())
        }
        None if sum == (0, 0) => Ok(()),
        _ => Err(()),
    }
}

/// Partitions of one entity, and its groups within all.
fn add_groups(release: &Release, set: &mut Cells, row: std::ops::Range<u32>) -> Result<(), ReleaseError> {
    let Some(all) = row.clone().next() else { return Ok(()) };
    let Figure { cohort, entity, group, .. } = set.figures[all as usize];
    let fail = |group: u16| ReleaseError::Sum { cohort, entity, group };
    let missed = |f: &Figure| f.denominator - f.numerator.unwrap_or(0);
    if group != 0 {
        return Err(fail(0));
    }
    let mut partitions: Vec<(u8, Vec<u32>)> = Vec::new();
    for i in row {
        let f = set.figures[i as usize];
        let whole = set.figures[all as usize];
        let group = release.groups[f.group as usize];
        if f.denominator > whole.denominator {
            return Err(fail(f.group));
        }
        match group.membership {
            Membership::All => {}
            Membership::Overlap if f.denominator == 0 => {}
            // Who counts in a group counts in all.
            Membership::Overlap if f.numerator > whole.numerator => return Err(fail(f.group)),
            // A part of as many students is the whole: a sum of one part.
            Membership::Overlap if (f.denominator, f.numerator) == (whole.denominator, whole.numerator) => set.lines.push(all, &[i]),
            Membership::Overlap if missed(&f) <= missed(&whole) => set.within.push((i, all)),
            // Who does not count in one cluster may count in another.
            Membership::Overlap => set.among.push((i, all)),
            Membership::Breakdown if f.denominator == whole.denominator => {
                set.same.push((all, i));
                // Kinds of those who count; elsewhere it may hold by chance, and then more is hidden than need be.
                set.among.extend((f.numerator <= whole.numerator && f.numerator.is_some()).then_some((i, all)));
            }
            Membership::Breakdown => return Err(fail(f.group)),
            Membership::Partition if f.denominator == 0 => {}
            Membership::Partition => match partitions.iter_mut().find(|p| p.0 == group.kind) {
                Some((_, codes)) => codes.push(i),
                None => partitions.push((group.kind, vec![i])),
            },
        }
    }
    for (_, codes) in partitions {
        let group = set.figures[codes[0] as usize].group;
        add_line(set, Some(all), &codes).map_err(|()| fail(group))?;
    }
    Ok(())
}

/// How much is lost when a figure is hidden: twice as much for each step. All students of a level weigh as much as a group two levels higher (spec
/// disclosure, "Protection": as few and as low as possible, all and higher levels last).
pub fn weight(level: u8, all: bool) -> u32 {
    2 * (4 - u32::from(level.min(4))) + if all { 4 } else { 0 }
}

/// Classes of things found to be one, each named by its first member.
pub struct Classes {
    parent: Vec<u32>,
}

impl Classes {
    pub fn new(size: usize) -> Self {
        Classes { parent: (0..size as u32).collect() }
    }

    /// The first member of a class.
    pub fn find(&mut self, mut i: u32) -> u32 {
        while self.parent[i as usize] != i {
            self.parent[i as usize] = self.parent[self.parent[i as usize] as usize];
            i = self.parent[i as usize];
        }
        i
    }

    /// Makes two classes one.
    pub fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }
}
