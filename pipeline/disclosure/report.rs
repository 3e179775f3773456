//! How much a protection leaves to see (spec disclosure, "Utility counts").

use super::cells::Cells;
use super::treatment::{Reason, Treatment};

/// Figures of one level by treatment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LevelReport {
    /// All figures.
    pub figures: u64,
    /// Shown with denominator, numerator and rate.
    pub shown: u64,
    /// Shown with denominator and a bound of the rate.
    pub banded: u64,
    /// Shown with the denominator only.
    pub numerator_hidden: u64,
    /// Not shown.
    pub hidden: u64,
    /// Why figures are hidden, by the order of [`Reason`]: small, complement, small sum, secondary, band, earlier release.
    pub hidden_why: [u64; 7],
    /// Why only numerators are hidden, by the order of [`Reason`].
    pub numerator_hidden_why: [u64; 7],
}

/// The utility of a protection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Utility {
    /// By level: state, grantee, district, institution, program.
    pub levels: Vec<LevelReport>,
    /// Denominators hidden although no rule names them.
    pub further: u64,
    /// No protection can hide fewer further denominators: so many lines without a common figure have exactly one hidden by a rule.
    pub further_at_least: u64,
    /// Numerators hidden, with their denominators shown, although their rates are within the thresholds.
    pub further_numerators: u64,
    /// No protection can hide fewer, given the hidden denominators and bands.
    pub further_numerators_at_least: u64,
}

impl Utility {
    pub(super) fn add(&mut self, cells: &Cells, treatments: &[Treatment], reasons: &[Reason]) {
        for i in 0..treatments.len() {
            let level = cells.levels[i] as usize;
            if self.levels.len() <= level {
                self.levels.resize(level + 1, LevelReport::default());
            }
            let report = &mut self.levels[level];
            report.figures += 1;
            match treatments[i] {
                Treatment::Shown => report.shown += 1,
                Treatment::Band(_) => report.banded += 1,
                Treatment::NumeratorHidden => {
                    report.numerator_hidden += 1;
                    report.numerator_hidden_why[reasons[i] as usize] += 1;
                }
                Treatment::Hidden => {
                    report.hidden += 1;
                    report.hidden_why[reasons[i] as usize] += 1;
                }
            }
        }
        let by_rule = |r: Reason| matches!(r, Reason::Small | Reason::Complement);
        let ours = |i: usize| matches!(reasons[i], Reason::Secondary | Reason::SmallSum);
        let count = |t: Treatment| (0..treatments.len()).filter(|i| treatments[*i] == t && ours(*i)).count() as u64;
        self.further += count(Treatment::Hidden);
        self.further_numerators += count(Treatment::NumeratorHidden);
        self.further_at_least += lonely_lines(cells, |i| treatments[i] == Treatment::Hidden && by_rule(reasons[i]));
        self.further_numerators_at_least +=
            lonely_lines(cells, |i| treatments[i] != Treatment::Shown && !(treatments[i] == Treatment::NumeratorHidden && ours(i)));
    }
}

/// Lines with exactly one hidden count and, but for that, no figure in common: each needs one more. Short lines first, which leave room for more.
fn lonely_lines(cells: &Cells, hidden: impl Fn(usize) -> bool) -> u64 {
    let is_lonely = |l: &&[u32]| l.len() > 2 && l.iter().filter(|i| hidden(**i as usize)).count() == 1;
    let mut lonely: Vec<&[u32]> = cells.lines.iter().take(cells.by_chance as usize).filter(is_lonely).collect();
    lonely.sort_by_key(|l| l.len());
    // Figures of the same students, and totals of one part, are hidden together and by one another: they count as one.
    let mut same = super::cells::Classes::new(cells.figures.len());
    cells.same.iter().for_each(|(a, b)| same.join(*a, *b));
    cells.lines.iter().filter(|l| l.len() == 2).for_each(|l| same.join(l[0], l[1]));
    let mut used = vec![false; cells.figures.len()];
    let mut count = 0;
    for line in lonely {
        let free: Vec<u32> = line.iter().filter(|i| !hidden(**i as usize)).map(|i| same.find(*i)).collect();
        if free.iter().all(|i| !used[*i as usize]) {
            free.iter().for_each(|i| used[*i as usize] = true);
            count += 1;
        }
    }
    count
}
