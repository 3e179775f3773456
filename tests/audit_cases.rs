//! Named cases of the audit, its explanations, and that its result depends neither on the number of threads nor on the order of cells.

use crate::audit_brute::certificate;
use crate::audit_world::{Random, hidden, world};
use perkins::audit::{Attack, Layer, Relation, attack, attack_again};
use perkins::published::{Cell, Count, Field, Known, Line, Published};
use std::collections::BTreeMap;

const HIDDEN: Cell = Cell { denominator: Known::Hidden, numerator: Known::Hidden };

fn shown(denominator: i64, numerator: i64) -> Cell {
    Cell { denominator: Known::Exactly(denominator), numerator: Known::Exactly(numerator) }
}

/// Denominator shown, numerator from the first to the second.
fn band(denominator: i64, low: i64, high: i64) -> Cell {
    Cell { denominator: Known::Exactly(denominator), numerator: Known::Between(low, high) }
}

fn without_numerator(denominator: i64) -> Cell {
    Cell { denominator: Known::Exactly(denominator), numerator: Known::Hidden }
}

fn line(total: u32, parts: &[u32]) -> Line {
    Line { total, parts: parts.to_vec() }
}

fn published(cells: Vec<Cell>, lines: Vec<Line>) -> Published {
    Published { cells, lines, hidden_minimum: 1, ..Published::default() }
}

/// What was found, by cell and field; the rest must have a certificate.
fn found(published: &Published) -> BTreeMap<(u32, Field), i64> {
    let attack = attack(published, 1);
    assert_eq!(certificate(published, &attack), Ok(()));
    attack.findings.iter().map(|f| ((f.count.cell, f.count.field), f.value)).collect()
}

const D: Field = Field::Denominator;
const N: Field = Field::Numerator;

#[test]
fn primary_suppression_only_is_found() {
    // One small school of three: denominator and numerator by subtraction.
    let world = published(vec![shown(100, 60), shown(50, 30), shown(46, 29), HIDDEN], vec![line(0, &[1, 2, 3])]);
    assert_eq!(found(&world), BTreeMap::from([((3, D), 4), ((3, N), 1)]));
    let attack = attack(&world, 1);
    assert_eq!(attack.findings[0].because, [Relation::Line(0, Layer::Denominator)]);
    let told = attack.findings[0].told(&world, &|c| format!("cell {c}")).join("; ");
    assert_eq!(told, "denominator of cell 3 is 4; denominators: cell 0 (100) = cell 3 (hidden, at least 1) + 96 in 2 shown parts");
}

#[test]
fn bands_and_small_denominators() {
    // "> 95" of 20 is 20 or nothing; of 60 it is 58 to 60.
    assert_eq!(found(&published(vec![band(20, 20, 20)], vec![])), BTreeMap::from([((0, N), 20)]));
    assert_eq!(found(&published(vec![band(60, 58, 60)], vec![])), BTreeMap::new());
    // A band that its line leaves one value of.
    let world = published(vec![shown(100, 95), band(60, 58, 60), shown(40, 37)], vec![line(0, &[1, 2])]);
    assert_eq!(found(&world), BTreeMap::from([((1, N), 58)]));
}

#[test]
fn three_singletons_on_a_line() {
    let world = published(vec![shown(53, 20), shown(50, 20), HIDDEN, HIDDEN, HIDDEN], vec![line(0, &[1, 2, 3, 4])]);
    let all = (2..5).flat_map(|c| [((c, D), 1), ((c, N), 0)]).collect();
    assert_eq!(found(&world), all);
    // If zeros may be hidden, the numerators are still 0; who the three are is open.
    let zeros = Published { hidden_minimum: 0, ..world };
    assert_eq!(found(&zeros), (2..5).map(|c| ((c, N), 0)).collect());
}

#[test]
fn a_single_child_is_its_parent() {
    let world = published(vec![shown(9, 4), HIDDEN], vec![line(0, &[1])]);
    assert_eq!(found(&world), BTreeMap::from([((1, D), 9), ((1, N), 4)]));
    // The same students under several indicators: one shown denominator is enough.
    let cells = vec![without_numerator(9), HIDDEN, HIDDEN];
    let world = Published { same: vec![(2, 1), (1, 0)], ..published(cells, vec![]) };
    assert_eq!(found(&world), BTreeMap::from([((1, D), 9), ((2, D), 9)]));
    let because = &attack(&world, 1).findings[1].because;
    assert!(because.contains(&Relation::Same(0)) && because.contains(&Relation::Same(1)), "{because:?}");
}

#[test]
fn zeros_and_all_leak_without_any_equation_of_one_unknown() {
    // Nobody of 12 meets it: the two hidden numerators are 0. All of 12 do: they are their denominators.
    let of = |sum: i64| {
        published(vec![shown(32, 10 + sum), shown(20, 10), without_numerator(7), without_numerator(5)], vec![line(0, &[1, 2, 3])])
    };
    assert_eq!(found(&of(0)), BTreeMap::from([((2, N), 0), ((3, N), 0)]));
    assert_eq!(found(&of(12)), BTreeMap::from([((2, N), 7), ((3, N), 5)]));
    assert_eq!(found(&of(6)), BTreeMap::new());
    // Nobody of All meets it, so nobody of a group within it does, however many it has.
    let world = Published { within: vec![(1, 0)], ..published(vec![shown(20, 0), HIDDEN], vec![]) };
    assert_eq!(found(&world), BTreeMap::from([((1, N), 0)]));
}

#[test]
fn those_of_a_kind_are_among_those_who_count() {
    // 7 of 12 have a job, so at least 7 are placed; at most 7, says the band. A kind of at most 0 is 0, though more than 0 are not of it.
    let world = Published { same: vec![(0, 1)], among: vec![(1, 0)], ..published(vec![band(12, 5, 7), shown(12, 7)], vec![]) };
    assert_eq!(found(&world), BTreeMap::from([((0, N), 7)]));
    let world = Published { same: vec![(0, 1)], among: vec![(1, 0)], ..published(vec![shown(12, 0), without_numerator(12)], vec![]) };
    assert_eq!(found(&world), BTreeMap::from([((1, N), 0)]));
    // A part of All in which fewer count could have no more who do not.
    let world = Published { same: vec![(0, 1)], among: vec![(1, 0)], ..published(vec![shown(12, 8), without_numerator(12)], vec![]) };
    assert_eq!(found(&world), BTreeMap::new());
}

#[test]
fn parts_that_cover_a_whole_are_no_fewer() {
    // All 20 are in a cluster, 12 of them in the first; so at least 8 are in the second, of which the third cell shows that it is part of 8.
    let cells = vec![shown(20, 0), shown(12, 0), HIDDEN, shown(8, 0)];
    let covers = vec![line(0, &[1, 2])];
    let world = Published { covers: covers.clone(), within: vec![(2, 3)], ..published(cells.clone(), vec![]) };
    assert_eq!(found(&world)[&(2, D)], 8);
    let told = attack(&world, 1).findings.iter().flat_map(|f| f.told(&world, &|c| format!("cell {c}"))).collect::<Vec<_>>().join("\n");
    assert!(told.contains("denominators: cell 0 (20) at most"), "{told}");
    // Of 9 there are two possible numbers.
    let world = Published { covers, within: vec![(2, 3)], ..published(vec![cells[0], cells[1], HIDDEN, shown(9, 0)], vec![]) };
    assert!(!found(&world).contains_key(&(2, D)));
}

#[test]
fn two_partitions_of_a_hidden_all() {
    // All = F + M = a + b + c; F and a are shown, and the district's line gives All away, not its parts.
    let cells = vec![HIDDEN, shown(30, 12), HIDDEN, shown(28, 20), HIDDEN, HIDDEN, shown(100, 50), shown(60, 20)];
    let lines = vec![line(0, &[1, 2]), line(0, &[3, 4, 5]), line(6, &[7, 0])];
    let expected = BTreeMap::from([((0, D), 40), ((0, N), 30), ((2, D), 10), ((2, N), 18)]);
    // 18 of 10 cannot be: the figures contradict each other, and that is said.
    let wrong = published(cells.clone(), lines.clone());
    assert!(!attack(&wrong, 1).contradictions.is_empty() && !attack(&wrong, 1).undecided.is_empty());
    let right = published([&[HIDDEN, shown(30, 22)][..], &cells[2..]].concat(), lines);
    let expected = expected.into_iter().map(|(k, v)| if k == (2, N) { (k, 8) } else { (k, v) }).collect();
    assert_eq!(found(&right), expected);
}

#[test]
fn by_rank_only() {
    // Sums over pairs of three: each line has two unknowns, all three together have one solution.
    let cells = vec![HIDDEN, HIDDEN, HIDDEN, without_numerator(11), without_numerator(12), without_numerator(13)];
    let lines = vec![line(3, &[0, 1]), line(4, &[1, 2]), line(5, &[0, 2])];
    let world = published(cells, lines);
    assert_eq!(found(&world), BTreeMap::from([((0, D), 6), ((1, D), 5), ((2, D), 7)]));
    assert_eq!(attack(&world, 1).findings[0].because.len(), 3);
}

/// The findings and moves of a world with its cells in another order, told in the first order.
fn shuffled(published: &Published, random: &mut Random) -> (Published, Vec<u32>) {
    let mut place: Vec<u32> = (0..published.cells.len() as u32).collect();
    (1..place.len()).rev().for_each(|i| place.swap(i, random.below(i + 1)));
    let mut other = published.clone();
    for (from, &to) in place.iter().enumerate() {
        other.cells[to as usize] = published.cells[from];
    }
    let moved = |c: u32| place[c as usize];
    for line in &mut other.lines {
        line.total = moved(line.total);
        line.parts.iter_mut().for_each(|p| *p = moved(*p));
    }
    for cover in &mut other.covers {
        cover.total = moved(cover.total);
        cover.parts.iter_mut().for_each(|p| *p = moved(*p));
    }
    other.lines.reverse();
    let pairs = other.within.iter_mut().chain(&mut other.among).chain(&mut other.same);
    pairs.for_each(|pair| *pair = (moved(pair.0), moved(pair.1)));
    (other, place)
}

/// Many worlds side by side.
fn joined(seeds: std::ops::Range<u64>) -> Published {
    let mut all = Published { hidden_minimum: 1, ..Published::default() };
    for published in seeds.map(|s| world(s).published).filter(|p| p.hidden_minimum == 1) {
        let first = all.cells.len() as u32;
        all.cells.extend(published.cells);
        let moved = |l: Line| line(l.total + first, &l.parts.iter().map(|p| p + first).collect::<Vec<_>>());
        all.lines.extend(published.lines.into_iter().map(moved));
        all.covers.extend(published.covers.into_iter().map(moved));
        all.within.extend(published.within.into_iter().map(|(a, b)| (a + first, b + first)));
        all.among.extend(published.among.into_iter().map(|(a, b)| (a + first, b + first)));
        all.same.extend(published.same.into_iter().map(|(a, b)| (a + first, b + first)));
    }
    all
}

fn values(attack: &Attack) -> BTreeMap<Count, i64> {
    attack.findings.iter().map(|f| (f.count, f.value)).collect()
}

#[test]
fn threads_and_order_do_not_matter() {
    let published = joined(20_000..21_000);
    let one = attack(&published, 1);
    assert_eq!(certificate(&published, &one), Ok(()));
    assert_eq!(one, attack(&published, 2));
    let (other, place) = shuffled(&published, &mut Random::new(7));
    let shuffled = attack(&other, 2);
    assert_eq!(certificate(&other, &shuffled), Ok(()));
    let told: BTreeMap<Count, i64> = values(&one).into_iter().map(|(c, v)| (Count { cell: place[c.cell as usize], ..c }, v)).collect();
    assert_eq!(values(&shuffled), told);
}

#[test]
fn again_looks_only_where_something_changed() {
    let published = joined(30_000..30_200);
    let all = attack(&published, 1);
    let cells: Vec<u32> = hidden(&published).iter().map(|c| c.cell).take(40).collect();
    let some = attack_again(&published, 1, Some(&cells), None);
    assert!(some.findings.iter().all(|f| all.findings.contains(f)) && some.findings.len() < all.findings.len());
    let expected = all.findings.iter().filter(|f| cells.contains(&f.count.cell));
    assert!(expected.clone().count() > 0);
    expected.for_each(|f| assert!(some.findings.contains(f), "{f:?}"));
}
