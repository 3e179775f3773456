//! Which denominators and numerators of linked cohorts are hidden: primaries, and what must be hidden with them.

use super::cells::{Cells, Classes, weight};
use super::elimination::{Problem, Protected, Term, solve, term};
use super::rate::by_rate;
use super::release::Policy;
use super::treatment::{Reason, Treatment};
use std::cmp::Reverse;

/// Further figures to protect, found necessary by the attacker.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    pub denominators: Vec<bool>,
    pub numerators: Vec<bool>,
}

/// For each figure why its denominator is hidden ([`Reason::None`]: it is shown), the same for numerators, and what stays open because an
/// earlier release showed too much.
#[derive(Debug, Clone, Default)]
pub struct Pattern {
    pub denominators: Vec<Reason>,
    pub numerators: Vec<Reason>,
    /// Figures that should be hidden, but are shown, or follow from figures shown, in an earlier release.
    pub open: Vec<u32>,
}

/// Decides for all figures.
pub fn decide(cells: &Cells, policy: &Policy, extra: &Extra) -> Pattern {
    let mut pattern = Pattern::default();
    denominators(cells, policy, extra, &mut pattern);
    pattern.numerators = pattern.denominators.clone();
    for cohort in 0..cells.cohort_ends.len() {
        numerators(cells, policy, extra, cohort, &mut pattern);
    }
    pattern.open.sort_unstable();
    pattern.open.dedup();
    pattern
}

/// What an earlier release says of a count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Prior {
    Shown,
    New,
    Hidden,
}

/// A count with the figures that share it.
struct Class {
    prior: Prior,
    all: bool,
    level: u8,
    size: i64,
    /// Why it is protected.
    primary: Reason,
}

/// The order in which counts are published: what was shown before, all students and higher levels, larger ones.
fn order(first: u32, class: &Class) -> (Prior, Reverse<u32>, u8, Reverse<i64>, u32) {
    (class.prior, Reverse(weight(class.level, class.all)), class.level, Reverse(class.size), first)
}

/// Counts as variables of the elimination.
struct Variables {
    /// For each figure of the range; `NONE` if its count is known to be 0 or not there.
    of: Vec<u32>,
    classes: Vec<Class>,
    candidates: u32,
    forced: u32,
}

const NONE: u32 = u32::MAX;

impl Variables {
    /// `class_of` describes a figure's count, and `first_of` names the first figure of those that share it.
    fn new(range: std::ops::Range<u32>, mut first_of: impl FnMut(u32) -> u32, describe: impl Fn(u32) -> Option<Class>) -> Self {
        let start = range.start;
        let mut of = vec![NONE; range.len()];
        let mut found: Vec<(u32, Class)> = Vec::new();
        for i in range {
            let Some(class) = describe(i) else { continue };
            let first = first_of(i);
            if first == i {
                of[(i - start) as usize] = found.len() as u32;
                found.push((i, class));
            } else {
                let at = of[(first - start) as usize];
                of[(i - start) as usize] = at;
                let joined = &mut found[at as usize].1;
                joined.all |= class.all;
                joined.level = joined.level.min(class.level);
                joined.prior = match (joined.prior, class.prior) {
                    (Prior::New, p) => p,
                    (p, Prior::New) => p,
                    (a, b) => a.min(b),
                };
                if joined.primary == Reason::None {
                    joined.primary = class.primary;
                }
            }
        }
        let is_protected = |c: &Class| c.primary != Reason::None && c.prior != Prior::Shown;
        let mut by_order: Vec<u32> = (0..found.len() as u32).collect();
        by_order.sort_unstable_by_key(|v| {
            let (first, class) = &found[*v as usize];
            (is_protected(class), order(*first, class))
        });
        let mut rank = vec![0; found.len()];
        by_order.iter().zip(0..).for_each(|(v, r)| rank[*v as usize] = r);
        of.iter_mut().filter(|v| **v != NONE).for_each(|v| *v = rank[*v as usize]);
        let candidates = found.iter().filter(|f| !is_protected(&f.1)).count() as u32;
        let forced = found.iter().filter(|f| f.1.prior == Prior::Shown).count() as u32;
        let mut classes: Vec<(u32, Class)> = rank.into_iter().zip(found.into_iter().map(|f| f.1)).collect();
        classes.sort_unstable_by_key(|c| c.0);
        Variables { of, classes: classes.into_iter().map(|c| c.1).collect(), candidates, forced }
    }

    fn is_protected(&self, variable: u32) -> bool {
        variable >= self.candidates
    }
}

/// Sums the terms of each variable.
fn combined(mut terms: Vec<(u32, i64)>) -> Vec<Term> {
    terms.sort_unstable();
    let mut sums: Vec<(u32, i64)> = Vec::with_capacity(terms.len());
    for (v, c) in terms {
        match sums.last_mut() {
            Some(last) if last.0 == v => last.1 += c,
            _ => sums.push((v, c)),
        }
    }
    sums.into_iter().filter(|t| t.1 != 0).map(|(v, c)| term(v, c)).collect()
}

/// Lines as relations of variables, each once.
fn relations<'a>(lines: impl Iterator<Item = &'a [u32]>, variable: impl Fn(u32) -> u32) -> Vec<Vec<Term>> {
    let signed = |line: &[u32]| line.iter().enumerate().map(|(at, i)| (variable(*i), if at == 0 { 1 } else { -1 })).collect();
    let mut list: Vec<Vec<Term>> = lines.map(|l| combined(signed(l))).filter(|r| !r.is_empty()).collect();
    list.sort_unstable();
    list.dedup();
    list
}

/// Pairs (part, whole) of which the part must not leave few students of the whole.
fn parts_and_wholes(cells: &Cells) -> impl Iterator<Item = (u32, u32)> + '_ {
    let mut all = 0;
    cells.figures.iter().zip(0..).map(move |(f, i)| {
        if f.group == 0 {
            all = i;
        }
        (i, all)
    })
}

fn denominators(cells: &Cells, policy: &Policy, extra: &Extra, pattern: &mut Pattern) {
    let count = cells.figures.len() as u32;
    let size = |i: u32| cells.figures[i as usize].denominator;
    let mut same = Classes::new(count as usize);
    cells.same.iter().for_each(|(a, b)| same.join(*a, *b));
    cells.lines.iter().filter(|l| l.len() == 2).for_each(|l| same.join(l[0], l[1]));
    let complements: Vec<(u32, u32)> = match policy.protected {
        true => parts_and_wholes(cells).filter(|(p, w)| size(*p) > 0 && policy.is_small(size(*w) - size(*p))).collect(),
        false => Vec::new(),
    };
    let mut primary = vec![Reason::None; count as usize];
    complements.iter().for_each(|(part, _)| primary[*part as usize] = Reason::Complement);
    let leaves_few = |i: &u32| policy.protected && policy.is_small(cells.outside[*i as usize]) && size(*i) > 0;
    (0..count).filter(leaves_few).for_each(|i| primary[i as usize] = Reason::Complement);
    (0..count).filter(|i| policy.is_small(size(*i))).for_each(|i| primary[i as usize] = Reason::Small);
    if !policy.protected {
        pattern.denominators = primary;
        return;
    }
    for (reason, _) in primary.iter_mut().zip(&extra.denominators).filter(|(r, e)| **r == Reason::None && **e) {
        *reason = Reason::Secondary;
    }
    let describe = |i: u32| {
        let prior = match cells.prior[i as usize] {
            None => Prior::New,
            Some(t) if t.shows_denominator() => Prior::Shown,
            Some(_) => Prior::Hidden,
        };
        let (f, level) = (&cells.figures[i as usize], cells.levels[i as usize]);
        (f.denominator > 0).then(|| Class { prior, all: f.group == 0, level, size: f.denominator, primary: primary[i as usize] })
    };
    let variables = Variables::new(0..count, |i| same.find(i), describe);
    let variable = |i: u32| variables.of[i as usize];
    let mut reasons = Vec::new();
    let mut combinations = Vec::new();
    for &(part, whole) in &complements {
        reasons.push((Reason::Complement, part));
        combinations.push(combined(vec![(variable(whole), 1), (variable(part), -1)]));
    }
    for line in cells.lines.iter() {
        let hidden: Vec<u32> = line[1..].iter().copied().filter(|i| variables.is_protected(variable(*i))).collect();
        if hidden.len() > 1 && policy.is_small(hidden.iter().map(|i| size(*i)).sum()) {
            reasons.push((Reason::SmallSum, hidden[0]));
            combinations.push(combined(hidden.iter().map(|i| (variable(*i), 1)).collect()));
        }
    }
    let relations = relations(cells.lines.iter(), variable);
    let (count, candidates, forced) = (variables.classes.len() as u32, variables.candidates, variables.forced);
    let decision = solve(Problem { variables: count, candidates, forced, relations, combinations });
    let reason_of = |v: u32| match decision.refused.get(v as usize) {
        None => variables.classes[v as usize].primary,
        Some(None) => Reason::None,
        Some(Some(Protected::Variable(_))) => Reason::Secondary,
        Some(Some(Protected::Combination(c))) => reasons[*c as usize].0,
    };
    pattern.denominators = variables.of.iter().map(|v| if *v == NONE { Reason::None } else { reason_of(*v) }).collect();
    // What leaves few outside it gives nothing away by itself: the whole can be hidden instead.
    let shown_before =
        |i: &u32| !matches!(primary[*i as usize], Reason::None | Reason::Complement) && pattern.denominators[*i as usize] == Reason::None;
    pattern.open.extend((0..cells.figures.len() as u32).filter(shown_before));
    let given_away = |v: u32| variables.of.iter().position(|u| *u == v).map(|i| i as u32);
    pattern.open.extend(decision.given_away.iter().filter_map(|p| match p {
        Protected::Variable(v) => given_away(*v),
        Protected::Combination(c) => Some(reasons[*c as usize].1),
    }));
}

fn numerators(cells: &Cells, policy: &Policy, extra: &Extra, cohort: usize, pattern: &mut Pattern) {
    let range = cells.cohort(cohort);
    let start = range.start;
    let primary = |i: u32| {
        let f = &cells.figures[i as usize];
        let n = f.numerator?;
        let hidden = pattern.denominators[i as usize];
        let beyond = matches!(cells.prior[i as usize], Some(Treatment::Band(_))) || by_rate(policy, f.denominator, n) != Treatment::Shown;
        Some(match (hidden, beyond) {
            (Reason::None, true) => Reason::Band,
            (Reason::None, false) if extra.numerators.get(i as usize) == Some(&true) => Reason::Secondary,
            (reason, _) => reason,
        })
    };
    let in_cohort: Vec<&[u32]> = cells.lines.iter().filter(|l| l.iter().all(|i| range.contains(i))).collect();
    let mut same = Classes::new(range.len());
    in_cohort.iter().filter(|l| l.len() == 2).for_each(|l| same.join(l[0] - start, l[1] - start));
    let describe = |i: u32| {
        let f = &cells.figures[i as usize];
        let primary = primary(i).filter(|_| f.denominator > 0)?;
        let prior = match cells.prior[i as usize] {
            None => Prior::New,
            Some(Treatment::Shown) => Prior::Shown,
            Some(_) => Prior::Hidden,
        };
        Some(Class { prior, all: f.group == 0, level: cells.levels[i as usize], size: f.denominator, primary })
    };
    if !policy.protected {
        let list: Vec<Reason> = range.clone().map(|i| describe(i).map_or(pattern.denominators[i as usize], |c| c.primary)).collect();
        pattern.numerators[start as usize..range.end as usize].copy_from_slice(&list);
        return;
    }
    let variables = Variables::new(range.clone(), |i| same.find(i - start) + start, describe);
    let variable = |i: u32| variables.of[(i - start) as usize];
    let counted = in_cohort.iter().copied().filter(|l| variable(l[0]) != NONE);
    let relations = relations(counted, variable);
    let (count, candidates, forced) = (variables.classes.len() as u32, variables.candidates, variables.forced);
    let decision = solve(Problem { variables: count, candidates, forced, relations, combinations: Vec::new() });
    let mut decided = Vec::with_capacity(range.len());
    for i in range.clone() {
        let v = variable(i);
        decided.push(match decision.refused.get(v as usize) {
            _ if v == NONE => pattern.denominators[i as usize],
            None => variables.classes[v as usize].primary,
            Some(None) => Reason::None,
            Some(Some(_)) => Reason::Secondary,
        });
        let is_given_away = v != NONE && decision.given_away.contains(&Protected::Variable(v));
        let should_be_hidden = v != NONE && variables.classes[v as usize].primary != Reason::None && !variables.is_protected(v);
        if is_given_away || should_be_hidden {
            pattern.open.push(i);
        }
    }
    pattern.numerators[start as usize..range.end as usize].copy_from_slice(&decided);
}
