//! Protection of small random releases, judged by every whole-number table that agrees with what is published.

use crate::disclosure_brute::pinned;
use crate::disclosure_rules::federal;
use perkins::disclosure::{EntityLine, Figure, Group, Membership, Policy, Release, Treatment, by_rate, protect, published};
use perkins::published::Known;

/// Numbers without an end, the same every time.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}

/// A state, one or two districts, one to three schools; two genders, two races, a group that overlaps; up to 12 students in a cell.
pub fn release(random: &mut Random, cohorts: u16) -> Release {
    tables(random, cohorts, 0)
}

/// Plain counts: the second is of about two thirds of the students of the first; if there is a third, it has all others and some of them too.
fn contained(random: &mut Random, parts: u16) -> Release {
    tables(random, 1 + parts, parts)
}

fn tables(random: &mut Random, cohorts: u16, parts: u16) -> Release {
    let contained = parts > 0;
    let group = |kind, membership| Group { kind, membership };
    let mut release = Release {
        groups: vec![
            group(0, Membership::All),
            group(1, Membership::Partition),
            group(1, Membership::Partition),
            group(2, Membership::Partition),
            group(2, Membership::Partition),
            group(3, Membership::Overlap),
        ],
        ..Release::default()
    };
    let with_races = random.below(2) == 0;
    let districts = 1 + random.below(2) as u32;
    let mut parent = vec![0; 1 + districts as usize];
    release.entities = std::iter::once(0).chain((0..districts).map(|_| 2)).collect();
    for d in 1..=districts {
        for _ in 0..random.below(3) {
            parent.push(d);
            release.entities.push(3);
        }
    }
    let most = [2, 3, 6][random.below(3) as usize];
    let empty = vec![[(0i64, 0i64); 6]; parent.len()];
    let mut of_parts = [empty.clone(), empty.clone()];
    for cohort in 0..cohorts {
        let is_part = contained && cohort > 0;
        let mut table = if is_part { std::mem::take(&mut of_parts[cohort as usize - 1]) } else { empty.clone() };
        let (few, rate) = (1 + random.below(most), random.below(5));
        let is_leaf = |e: &usize| *e > 0 && !parent[1..].contains(&(*e as u32)) && !is_part;
        for leaf in (0..parent.len()).filter(is_leaf) {
            for _ in 0..random.below(1 + few) + random.below(1 + few) {
                let mut groups = vec![0, 1 + random.below(2) as usize];
                groups.extend(with_races.then(|| 3 + (random.below(3) as usize).min(1)));
                groups.extend((random.below(3) == 0).then_some(5));
                let counts = i64::from(!contained && random.below(4) < rate);
                let first = contained && random.below(3) > 0;
                let of = [first, !first || contained && random.below(3) == 0];
                let mut entity = leaf;
                loop {
                    for g in &groups {
                        table[entity][*g].0 += 1;
                        table[entity][*g].1 += counts;
                        of_parts.iter_mut().zip(of).for_each(|(part, is_in)| part[entity][*g].0 += i64::from(is_in));
                    }
                    if entity == 0 {
                        break;
                    }
                    entity = parent[entity] as usize;
                }
            }
        }
        for (e, row) in table.iter().enumerate() {
            for (g, (d, n)) in row.iter().enumerate().filter(|(_, c)| c.0 > 0) {
                release.figures.push(Figure {
                    cohort,
                    entity: e as u32,
                    group: g as u16,
                    denominator: *d,
                    numerator: (!contained).then_some(*n),
                });
            }
        }
        let parts_of = |t: u32| (1..parent.len() as u32).filter(|e| parent[*e as usize] == t).collect::<Vec<u32>>();
        for total in (0..=districts).filter(|t| !parts_of(*t).is_empty()) {
            release.lines.push(EntityLine { cohort, total, parts: parts_of(total) });
        }
    }
    release.contains = (1..=parts).map(|part| (0, part)).collect();
    release.covered = if parts == 2 { release.contains.clone() } else { vec![] };
    release
}

fn policy(random: &mut Random) -> Policy {
    Policy { smallest: 3 + random.below(3) as i64, hidden_minimum: random.below(2) as i64, ..federal() }
}

/// An upper bound of every count, a little above the largest.
fn most(release: &Release) -> i64 {
    3 + release.figures.iter().map(|f| f.denominator).max().unwrap_or(0)
}

#[test]
fn nothing_hidden_has_one_possible_value() {
    let mut random = Random(0x5EED);
    let (mut judged, mut hidden, mut rules_alone_fail) = (0, 0, 0);
    for case in 0..1500 {
        let release = release(&mut random, 1);
        let policy = policy(&mut random);
        let most = most(&release);
        let protection = protect(&release, &policy, 1).expect("agrees with itself");
        assert!(protection.open.is_empty() && protection.undecided.is_empty(), "case {case}: {:?}", protection.open);
        let view = published(&release, &policy, &protection.treatments).expect("agrees with itself");
        let Some(pinned_now) = pinned(&view, most, 60_000) else { continue };
        assert!(pinned_now.is_empty(), "case {case}: {pinned_now:?}");
        judged += 1;
        hidden += view.cells.iter().filter(|c| c.denominator == Known::Hidden).count();
        let rules = Policy { protected: false, ..policy };
        let alone = protect(&release, &rules, 1).expect("agrees with itself");
        let view = published(&release, &rules, &alone.treatments).expect("agrees with itself");
        rules_alone_fail += usize::from(pinned(&view, most, 60_000).is_some_and(|p| !p.is_empty()));
    }
    assert!(judged > 600 && hidden > 1000, "{judged} releases judged, {hidden} denominators hidden");
    assert!(rules_alone_fail > 100, "{rules_alone_fail}");
}

/// Participants and concentrators, or all students and those of two clusters: what one table shows must not tell what another hides.
#[test]
fn cohorts_that_contain_each_other_tell_nothing_of_each_other() {
    let mut random = Random(0xC0DE);
    let (mut judged, mut undecided, mut shown, mut apart_fail) = (0, 0, 0, 0);
    for case in 0..600 {
        let release = contained(&mut random, 1 + case % 2);
        let (policy, most) = (policy(&mut random), most(&release));
        let protection = protect(&release, &policy, 1).expect("agrees with itself");
        undecided += usize::from(!protection.undecided.is_empty());
        let view = published(&release, &policy, &protection.treatments).expect("agrees with itself");
        let Some(pinned_now) = pinned(&view, most, 60_000).filter(|_| protection.undecided.is_empty()) else { continue };
        assert!(pinned_now.is_empty(), "case {case}: {pinned_now:?}");
        judged += 1;
        shown += protection.treatments.iter().filter(|t| **t == Treatment::Shown).count();
        let apart = protect(&Release { contains: vec![], covered: vec![], ..release.clone() }, &policy, 1).expect("agrees with itself");
        let view = published(&release, &policy, &apart.treatments).expect("agrees with itself");
        apart_fail += usize::from(pinned(&view, most, 60_000).is_some_and(|p| !p.is_empty()));
    }
    assert!(judged > 300 && shown > 500, "{judged} releases judged, {shown} figures shown");
    // Of cohorts of one or two students it may not be told; then nothing is published.
    assert!(undecided < 12 && apart_fail > 20, "{undecided} not decided, {apart_fail} protected apart give something away");
}

#[test]
fn what_is_shown_is_true_and_small_figures_are_not() {
    let mut random = Random(0xF00D);
    for _ in 0..300 {
        let release = release(&mut random, 1);
        let policy = policy(&mut random);
        let protection = protect(&release, &policy, 1).expect("agrees with itself");
        for (figure, treatment) in release.figures.iter().zip(&protection.treatments) {
            let n = figure.numerator.expect("has one");
            assert!(!policy.is_small(figure.denominator) || *treatment == Treatment::Hidden);
            match treatment {
                Treatment::Band(_) => assert_eq!(*treatment, by_rate(&policy, figure.denominator, n)),
                Treatment::Shown => assert_eq!(by_rate(&policy, figure.denominator, n), Treatment::Shown),
                _ => {}
            }
        }
        let utility = &protection.utility;
        assert!(utility.further >= utility.further_at_least && utility.further_numerators >= utility.further_numerators_at_least);
    }
}

#[test]
fn order_of_figures_and_threads_do_not_matter() {
    let mut random = Random(0xACE);
    for _ in 0..100 {
        let release = release(&mut random, 3);
        let policy = policy(&mut random);
        let first = protect(&release, &policy, 1).expect("agrees with itself");
        let mut other = release.clone();
        let mut order: Vec<usize> = (0..release.figures.len()).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i as u64 + 1) as usize);
        }
        other.figures = order.iter().map(|i| release.figures[*i]).collect();
        other.lines.reverse();
        let second = protect(&other, &policy, 3).expect("agrees with itself");
        let back: Vec<Treatment> = order.iter().map(|i| first.treatments[*i]).collect();
        assert_eq!(back, second.treatments);
        assert_eq!(first.utility, second.utility);
    }
}
