//! Each rule of the specification's chapter on disclosure, by tables made by hand.

use crate::disclosure_brute::pinned;
use perkins::disclosure::*;
use perkins::published::Known;

const ALL: u16 = 0;
const FEMALE: u16 = 1;
const MALE: u16 = 2;
const OTHER: u16 = 3;
const LEARNER: u16 = 4;
const MILITARY: u16 = 5;

/// The federal rules as the specification has them: n = 10, > 95, < 5, wider bounds where fewer than three numerators are left.
pub fn federal() -> Policy {
    Policy { protected: true, smallest: 10, high: 95, low: 5, wider: vec![90, 80, 50], possible: 3, hidden_minimum: 1 }
}

/// A release in which entity 0 is the state, and the others are districts and schools by `levels`.
fn release(levels: &[u8], figures: &[(u16, u32, u16, i64, i64)]) -> Release {
    let group = |kind, membership| Group { kind, membership };
    let gender = group(1, Membership::Partition);
    let figure = |&(cohort, entity, group, denominator, n): &(u16, u32, u16, i64, i64)| Figure {
        cohort,
        entity,
        group,
        denominator,
        numerator: Some(n),
    };
    Release {
        entities: levels.to_vec(),
        groups: vec![group(0, Membership::All), gender, gender, gender, group(3, Membership::Overlap), group(4, Membership::Breakdown)],
        figures: figures.iter().map(figure).collect(),
        ..Release::default()
    }
}

fn line(total: u32, parts: &[u32]) -> EntityLine {
    EntityLine { cohort: 0, total, parts: parts.to_vec() }
}

fn treatments(release: &Release) -> Vec<Treatment> {
    protection(release).treatments
}

fn protection(release: &Release) -> Protection {
    let protection = protect(release, &federal(), 1).expect("agrees with itself");
    assert!(protection.undecided.is_empty());
    protection
}

use Treatment::{Hidden, NumeratorHidden, Shown};

fn above(bound: i64) -> Treatment {
    Treatment::Band(Band { above: true, bound })
}

fn below(bound: i64) -> Treatment {
    Treatment::Band(Band { above: false, bound })
}

#[test]
fn small_groups_are_hidden_and_then_a_second() {
    // 30 = 21 + 9: 9 of fewer than 10 is hidden, and 30 − 21 = 9 would give it, so 21 is hidden too; all stays.
    let r = release(&[0], &[(0, 0, ALL, 30, 15), (0, 0, FEMALE, 21, 10), (0, 0, MALE, 9, 5)]);
    let p = protection(&r);
    assert_eq!(p.treatments, [Shown, Hidden, Hidden]);
    // 21 leaves 9 of 30 outside: a rule by itself.
    assert_eq!(p.reasons, [Reason::None, Reason::Complement, Reason::Small]);
    // 40 = 17 + 14 + 9: 14 is the smaller of the two that would do.
    let r = release(&[0], &[(0, 0, ALL, 40, 20), (0, 0, FEMALE, 17, 8), (0, 0, MALE, 14, 6), (0, 0, OTHER, 9, 6)]);
    let p = protection(&r);
    assert_eq!(p.treatments, [Shown, Shown, Hidden, Hidden]);
    assert_eq!(p.reasons[2], Reason::Secondary);
}

#[test]
fn bands_leave_three_numerators() {
    let by = |d, n| by_rate(&federal(), d, n);
    // Of 41, above 95 % (38.95): 39, 40, 41. Of 40, above 95 % (38): 39 and 40 only, so above 90 % (36): 37 to 40.
    assert_eq!((by(41, 39), by(41, 38)), (above(95), Shown));
    assert_eq!((by(40, 40), by(40, 37), by(40, 36)), (above(90), above(90), Shown));
    // Of 20, above 90 % (18): 19 and 20 only, so above 80 % (16). Below 20 % (4): 0 to 3.
    assert_eq!((by(20, 20), by(20, 17), by(20, 16), by(20, 4), by(20, 3)), (above(80), above(80), Shown, Shown, below(20)));
    // Of 10, above 80 %: 9 and 10 only, so above 50 %: 6 to 10; 5 is neither.
    assert_eq!((by(10, 10), by(10, 6), by(10, 5), by(10, 0)), (above(50), above(50), Shown, below(50)));
    // Of 4, above 50 %: 3 and 4 only; no band.
    assert_eq!((by(4, 4), by(4, 2)), (NumeratorHidden, NumeratorHidden));
    // The rule itself: more than 95 %, whatever it tells.
    let rule = Policy { protected: false, ..federal() };
    assert_eq!((by_rate(&rule, 20, 20), by_rate(&rule, 20, 19), by_rate(&rule, 100, 95)), (above(95), Shown, Shown));
    for d in 1..500 {
        for n in 0..=d {
            if let Treatment::Band(band) = by(d, n) {
                let (first, last) = numerators_of(band, d);
                assert!(last - first >= 2 && (first..=last).contains(&n));
                assert!((first..=last).all(|m| by(d, m) == Treatment::Band(band)), "{d}: {band:?} is every such rate");
            }
        }
    }
}

#[test]
fn a_band_hides_a_numerator_beside_it() {
    // 39 of 41 is > 95; 60 − 39 = 21 of 59 would give it.
    let r = release(&[0], &[(0, 0, ALL, 100, 60), (0, 0, FEMALE, 41, 39), (0, 0, MALE, 59, 21)]);
    let p = protection(&r);
    assert_eq!(p.treatments, [Shown, above(95), NumeratorHidden]);
    assert_eq!(p.reasons, [Reason::None, Reason::Band, Reason::Secondary]);
}

#[test]
fn complements_and_small_sums_are_protected() {
    // 55 of 60 are learners: the 5 others are few.
    let r = release(&[0], &[(0, 0, ALL, 60, 30), (0, 0, LEARNER, 55, 30)]);
    assert_eq!(treatments(&r), [Shown, Hidden]);
    // Districts of 4 and 5 are hidden; the state's 49 − 40 = 9 would tell of them together, so 40 is hidden too.
    let r = release(&[0, 2, 2, 2], &[(0, 0, ALL, 49, 20), (0, 1, ALL, 4, 2), (0, 2, ALL, 5, 2), (0, 3, ALL, 40, 16)]);
    let r = Release { lines: vec![line(0, &[1, 2, 3])], ..r };
    let p = protection(&r);
    assert_eq!(p.treatments, [Shown, Hidden, Hidden, Hidden]);
    assert_eq!(p.reasons[3], Reason::SmallSum);
    // Districts of 4 and 6 are 10 together, and 40 may be shown: nobody can tell 4 and 6.
    let r = release(&[0, 2, 2, 2], &[(0, 0, ALL, 50, 20), (0, 1, ALL, 4, 2), (0, 2, ALL, 6, 2), (0, 3, ALL, 40, 16)]);
    assert_eq!(treatments(&Release { lines: vec![line(0, &[1, 2, 3])], ..r }), [Shown, Hidden, Hidden, Shown]);
}

#[test]
fn a_contained_cohort_must_not_leave_few() {
    // 50 participants, 45 of them concentrators: 5 are not.
    let r = release(&[0], &[(0, 0, ALL, 50, 25), (1, 0, ALL, 45, 20)]);
    assert_eq!(treatments(&r), [Shown, Shown]);
    assert_eq!(treatments(&Release { contains: vec![(0, 1)], ..r }), [Shown, Hidden]);
}

#[test]
fn cohorts_of_the_same_students_share_one_pattern() {
    let rows = |c| [(c, 0, ALL, 40, 20 - i64::from(c)), (c, 0, FEMALE, 17, 8), (c, 0, MALE, 14, 7 - i64::from(c)), (c, 0, OTHER, 9, 5)];
    let r = release(&[0], &[rows(0), rows(1)].concat());
    let r = Release { same: (0..4).map(|i| (i, i + 4)).collect(), ..r };
    let t = treatments(&r);
    let hidden = |range: std::ops::Range<usize>| t[range].iter().map(|t| *t == Hidden).collect::<Vec<bool>>();
    assert_eq!(hidden(0..4), [false, false, true, true]);
    assert_eq!(hidden(0..4), hidden(4..8));
    // A kind of placement has the denominator of all: hidden with it.
    let r = release(&[0], &[(0, 0, ALL, 9, 5), (0, 0, MILITARY, 9, 1)]);
    assert_eq!(treatments(&r), [Hidden, Hidden]);
}

#[test]
fn a_district_with_one_school_is_that_school() {
    // District 1 has one school of 9; district 2, schools of 20 and 30. 59 − 50 would give the 9.
    let figures =
        [(0, 0, ALL, 59, 30), (0, 1, ALL, 9, 5), (0, 2, ALL, 50, 25), (0, 3, ALL, 9, 5), (0, 4, ALL, 20, 10), (0, 5, ALL, 30, 15)];
    let r = release(&[0, 2, 2, 3, 3, 3], &figures);
    let t = treatments(&Release { lines: vec![line(0, &[1, 2]), line(1, &[3]), line(2, &[4, 5])], ..r });
    // 9 and the district of 50 are hidden, and the smaller school, without which 20 + 30 gives the 50.
    assert_eq!(t, [Shown, Hidden, Hidden, Hidden, Hidden, Shown]);
}

#[test]
fn three_singletons_and_a_line_of_ones() {
    // 1 + 1 + 1 on a line: few together, so a fourth is hidden.
    let r = release(&[0, 3, 3, 3, 3], &[(0, 0, ALL, 33, 16), (0, 1, ALL, 1, 1), (0, 2, ALL, 1, 0), (0, 3, ALL, 1, 0), (0, 4, ALL, 30, 15)]);
    let t = treatments(&Release { lines: vec![line(0, &[1, 2, 3, 4])], ..r });
    assert_eq!(t, [Shown, Hidden, Hidden, Hidden, Hidden]);
    // Ten of 1 are 10, which is not few, but who knows that no row is empty knows each of them.
    let mut figures = vec![(0, 0, ALL, 40, 20)];
    figures.extend((1..=10).map(|e| (0, e, ALL, 1, i64::from(e % 2 == 0))));
    figures.push((0, 11, ALL, 30, 15));
    let r = release(&[0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3], &figures);
    let r = Release { lines: vec![line(0, &(1..=11).collect::<Vec<u32>>())], ..r };
    assert_eq!(treatments(&r)[11], Hidden);
    let trusting = protect(&r, &Policy { hidden_minimum: 0, ..federal() }, 1).expect("agrees with itself");
    assert_eq!(trusting.treatments[11], Shown);
}

#[test]
fn zeros_leak_by_subtraction() {
    // Two hidden districts (9 and 9) with no success: 10 − 10 = 0 of theirs is 0 for each. So the numerator of the third is hidden.
    let figures = [(0, 0, ALL, 58, 10), (0, 1, ALL, 9, 0), (0, 2, ALL, 9, 0), (0, 3, ALL, 40, 10)];
    let r = Release { lines: vec![line(0, &[1, 2, 3])], ..release(&[0, 2, 2, 2], &figures) };
    let p = protection(&r);
    assert_eq!(p.treatments, [Shown, Hidden, Hidden, NumeratorHidden]);
    let view = published(&r, &federal(), &p.treatments).expect("agrees with itself");
    assert_eq!(view.cells[3].numerator, Known::Between(4, 36), "of 40, neither < 10 nor > 90");
    // The linear pattern alone would not do.
    let alone = [Shown, Hidden, Hidden, Shown];
    let view = published(&r, &federal(), &alone).expect("agrees with itself");
    assert_eq!(pinned(&view, 20, 1_000_000).expect("few tables").len(), 2);
}

#[test]
fn a_hidden_half_of_a_small_figure_is_hidden_with_its_row() {
    // Of 10, 5 is neither > 50 nor < 50: with the denominator shown and no band, who knows the rule knows the 5.
    assert_eq!(numerators_of_hidden(&federal(), 10), (5, 5));
    let r = release(&[0], &[(0, 0, ALL, 20, 14), (0, 0, FEMALE, 10, 9), (0, 0, MALE, 10, 5)]);
    let t = treatments(&r);
    assert!(t[2] != NumeratorHidden, "{t:?}");
}

#[test]
fn a_kind_does_not_tell_how_many_count_at_least() {
    // District 56 of 60 (93.3, shown), schools 27 of 30 (90.0) and 29 of 30 (> 90: 28 to 30). The first is hidden too: 26 or 27, for what
    // is not > 90 is at most 27. If its 27 of one kind were shown, it would be 27.
    let figures = [
        (0, 0, ALL, 60, 56),
        (0, 0, MILITARY, 60, 42),
        (0, 1, ALL, 30, 27),
        (0, 1, MILITARY, 30, 27),
        (0, 2, ALL, 30, 29),
        (0, 2, MILITARY, 30, 15),
    ];
    let r = Release { lines: vec![line(0, &[1, 2])], ..release(&[2, 3, 3], &figures) };
    let t = treatments(&r);
    assert_eq!((t[0], t[2], t[4]), (Shown, NumeratorHidden, above(90)), "{t:?}");
    assert!(t[3] != Shown, "{t:?}");
    let view = published(&r, &federal(), &t).expect("agrees with itself");
    assert_eq!(pinned(&view, 63, 1_000_000), Some(vec![]), "{t:?}");
}

#[test]
fn who_does_not_count_in_one_group_may_count_by_another() {
    // All: 12 of 30, so 18 do not count; of the 20 in the group 1 counts there, and 19 do not: one of these counts by another.
    let r = release(&[0], &[(0, 0, ALL, 30, 12), (0, 0, LEARNER, 20, 1), (0, 0, FEMALE, 15, 6), (0, 0, MALE, 15, 6)]);
    assert_eq!(treatments(&r)[0], Shown);
    let view = published(&r, &federal(), &treatments(&r)).expect("agrees with itself");
    assert_eq!((view.within.as_slice(), view.among.as_slice()), (&[][..], &[(1, 0)][..]), "19 of 20 do not count, 18 of all");
}

#[test]
fn what_an_earlier_release_showed_stays() {
    let r = release(&[0], &[(0, 0, ALL, 40, 20), (0, 0, FEMALE, 17, 8), (0, 0, MALE, 14, 6), (0, 0, OTHER, 9, 6)]);
    // 14 was shown before, so 17 is hidden instead.
    let shown_before = Release { prior: vec![None, None, Some(Shown), None], ..r.clone() };
    assert_eq!(treatments(&shown_before), [Shown, Hidden, Shown, Hidden]);
    // All three others were shown: 9 is known, and the report says so.
    let all_before = Release { prior: vec![Some(Shown), Some(Shown), Some(Shown), None], ..r.clone() };
    let p = protect(&all_before, &federal(), 1).expect("agrees with itself");
    assert_eq!(p.treatments, [Shown, Shown, Shown, Hidden]);
    assert!(p.open.iter().any(|c| c.cell == 3));
    // 9 itself was shown, when fewer than 6 were small.
    let itself = Release { prior: vec![None, None, None, Some(Shown)], ..r };
    let p = protect(&itself, &federal(), 1).expect("agrees with itself");
    assert_eq!((p.treatments[3], p.reasons[3]), (Shown, Reason::PriorRelease));
    assert!(p.open.iter().any(|c| c.cell == 3));
}

#[test]
fn rates_are_rounded_as_the_rule_says() {
    let shown = |d, n, tie| rate_shown(Shown, d, n, tie).expect("has students");
    // 9 of 16 is 56.25 %; 13 of 16 is 81.25 %; 1 of 16, 6.25 %; 2 of 3, 66.67 %.
    assert_eq!((shown(16, 9, Tie::HalfUp), shown(16, 9, Tie::HalfEven)), ("56.3".to_owned(), "56.2".to_owned()));
    assert_eq!(
        (shown(16, 1, Tie::HalfUp), shown(3, 2, Tie::HalfUp), shown(7, 7, Tie::HalfUp)),
        ("6.3".into(), "66.7".into(), "100.0".into())
    );
    assert_eq!(rate(Shown, 16, 9, Tie::HalfUp), Some(56.3));
    assert_eq!((rate(above(95), 100, 96, Tie::HalfUp), rate(Shown, 0, 0, Tie::HalfUp)), (None, None));
    let text = |t| rate_shown(t, 100, 99, Tie::HalfUp);
    assert_eq!((text(above(95)), text(below(5)), text(Hidden)), (Some("> 95".into()), Some("< 5".into()), Some("*".into())));
    // Target 90 %: all of > 95 meet it; target 97 %: some of > 95 do not.
    let status = |target: i64| move |n: i64| n * 100 >= target * 100;
    assert!(may_show_status(above(95), 100, status(90)) && !may_show_status(above(95), 100, status(97)));
    assert!(may_show_status(Shown, 100, status(97)) && !may_show_status(NumeratorHidden, 100, status(0)));
}

#[test]
fn releases_that_contradict_themselves_are_refused() {
    let check = |r: Release| protect(&r, &federal(), 1).expect_err("contradicts itself");
    let r = release(&[0], &[(0, 0, ALL, 30, 15), (0, 0, FEMALE, 20, 10), (0, 0, MALE, 9, 5)]);
    assert_eq!(check(r), ReleaseError::Sum { cohort: 0, entity: 0, group: 1 });
    assert_eq!(check(release(&[0], &[(0, 0, ALL, 3, 4)])), ReleaseError::Figure(0));
    assert_eq!(check(release(&[0], &[(0, 0, ALL, 3, 1), (0, 0, ALL, 3, 1)])), ReleaseError::Twice { cohort: 0, entity: 0, group: 0 });
    let r = release(&[0, 2], &[(0, 0, ALL, 30, 15), (0, 1, ALL, 29, 15)]);
    assert_eq!(check(Release { lines: vec![line(0, &[1])], ..r }), ReleaseError::Sum { cohort: 0, entity: 0, group: 0 });
    // More learners than students count.
    let r = release(&[0], &[(0, 0, ALL, 30, 15), (0, 0, LEARNER, 20, 16)]);
    assert_eq!(check(r), ReleaseError::Sum { cohort: 0, entity: 0, group: LEARNER });
}
