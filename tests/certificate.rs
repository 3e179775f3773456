//! The verifier of certificates takes the attacker's, and refuses each kind of false one.

use crate::disclosure_random::{Random, release};
use crate::disclosure_rules::federal;
use perkins::audit::{Attack, attack};
use perkins::certificate::{Fault, verify};
use perkins::disclosure::{Policy, protect, published};
use perkins::published::{Cell, Count, Field, Known, Line, Move, Published, Table};

fn count(cell: u32, field: Field) -> Count {
    Count { cell, field }
}

/// 30 = 21 + 9 students, of whom 15 = 10 + 5 count; the parts hidden. The fourth cell has the same students as the first; the fifth, > 50 of 10, is
/// within it.
fn example() -> (Published, Table, Vec<Move>) {
    let hidden = Cell { denominator: Known::Hidden, numerator: Known::Hidden };
    let shown = |d, n| Cell { denominator: Known::Exactly(d), numerator: n };
    let published = Published {
        cells: vec![shown(30, Known::Exactly(15)), hidden, hidden, shown(30, Known::Exactly(20)), shown(10, Known::Between(6, 10))],
        lines: vec![Line { total: 0, parts: vec![1, 2] }],
        covers: vec![Line { total: 3, parts: vec![0, 4] }],
        within: vec![(4, 0)],
        // Who counts in the fifth counts in the fourth.
        among: vec![(4, 3)],
        same: vec![(0, 3)],
        hidden_minimum: 1,
    };
    let base = Table { denominator: vec![30, 21, 9, 30, 10], numerator: vec![15, 10, 5, 20, 6] };
    let (d, n) = (Field::Denominator, Field::Numerator);
    let change = |list: &[(u32, Field, i64)]| Move { change: list.iter().map(|(c, f, by)| (count(*c, *f), *by)).collect() };
    (published, base, vec![change(&[(1, d, 1), (2, d, -1)]), change(&[(1, n, 1), (2, n, -1)]), change(&[(4, n, 1)])])
}

#[test]
fn a_true_certificate_is_taken_and_each_false_one_refused() {
    let (published, base, moves) = example();
    assert_eq!(verify(&published, &base, &moves), Ok(()));
    let with_base = |change: &dyn Fn(&mut Table)| {
        let mut base = base.clone();
        change(&mut base);
        verify(&published, &base, &moves).expect_err("is false")
    };
    let with_moves = |change: &dyn Fn(&mut Vec<Move>)| {
        let mut moves = moves.clone();
        change(&mut moves);
        verify(&published, &base, &moves).expect_err("is false")
    };
    let not_as = |table, cell, field| Fault::NotAsPublished { table, count: count(cell, field) };
    assert_eq!(with_base(&|b| b.denominator.truncate(3)), Fault::Size);
    assert_eq!(with_base(&|b| b.numerator[0] = 14), not_as(0, 0, Field::Numerator));
    assert_eq!(with_base(&|b| b.numerator[4] = 5), not_as(0, 4, Field::Numerator));
    assert_eq!(with_base(&|b| (b.numerator[1], b.numerator[2]) = (5, 10)), not_as(0, 2, Field::Numerator));
    assert_eq!(with_base(&|b| (b.denominator[1], b.denominator[2]) = (30, 0)), not_as(0, 2, Field::Denominator));
    assert_eq!(with_base(&|b| (b.denominator[1], b.denominator[2]) = (31, -1)), not_as(0, 2, Field::Denominator));
    assert_eq!(with_base(&|b| b.numerator[1] = 9), Fault::Line { table: 0, line: 0 });
    assert_eq!(with_base(&|b| b.denominator[1] = 20), Fault::Line { table: 0, line: 0 });
    assert_eq!(with_moves(&|m| m[0].change[1].1 = -2), Fault::Line { table: 1, line: 0 });
    assert_eq!(with_moves(&|m| m[0].change.reverse()), Fault::NotADifference(0));
    assert_eq!(with_moves(&|m| m[0].change[0].1 = 0), Fault::NotADifference(0));
    assert_eq!(with_moves(&|m| m[2].change[0].1 = -1), not_as(3, 4, Field::Numerator));
    assert_eq!(with_moves(&|m| m[2].change[0].0.cell = 9), Fault::NoCell(9));
    for (left_out, cell, field) in [(0, 1, Field::Denominator), (1, 1, Field::Numerator), (2, 4, Field::Numerator)] {
        let without = |m: &mut Vec<Move>| drop(m.remove(left_out));
        assert_eq!(with_moves(&without), Fault::NotCovered(count(cell, field)));
    }
    let mut other = published.clone();
    // 30 students of the first are no fewer than 30, but 15 of them count, not 20.
    other.covers = vec![Line { total: 3, parts: vec![0] }];
    assert_eq!(verify(&other, &base, &moves), Err(Fault::TooFew { table: 0, cover: 0 }));
    other.covers.clear();
    other.within = vec![(4, 2)];
    assert_eq!(verify(&other, &base, &moves), Err(Fault::NotWithin { table: 0, part: 4, whole: 2 }));
    other.within.clear();
    other.among = vec![(3, 0)];
    assert_eq!(verify(&other, &base, &moves), Err(Fault::NotWithin { table: 0, part: 3, whole: 0 }));
    other.among.clear();
    other.same = vec![(0, 4)];
    assert_eq!(verify(&other, &base, &moves), Err(Fault::NotSame { table: 0, a: 0, b: 4 }));
}

#[test]
fn protected_releases_have_certificates() {
    let mut random = Random(0xCE27);
    for _ in 0..200 {
        let release = release(&mut random, 2);
        let policy = Policy { smallest: 4, ..federal() };
        let protection = protect(&release, &policy, 1).expect("agrees with itself");
        let view = published(&release, &policy, &protection.treatments).expect("agrees with itself");
        let Attack { base, moves, .. } = attack(&view, 1);
        assert_eq!(verify(&view, &base, &moves), Ok(()));
        let rules = Policy { protected: false, ..policy };
        let protection = protect(&release, &rules, 1).expect("agrees with itself");
        let view = published(&release, &rules, &protection.treatments).expect("agrees with itself");
        let Attack { base, moves, findings, .. } = attack(&view, 1);
        assert_eq!(verify(&view, &base, &moves).is_ok(), findings.is_empty());
    }
}
