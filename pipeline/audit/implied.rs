//! Lines that follow from others, as a guess: moves leave them out, and are checked against them afterwards.
//!
//! Where groups of a partition and entities of a tree both sum, the partition of a district follows from those of its schools and from the
//! lines of district and schools. Without it every count is in two lines, and a move is a path.

use crate::published::Published;

/// For each line whether it is likely to follow from others: its total is the sum of another line, and its parts are each the sum of
/// one line.
pub(super) fn implied(published: &Published) -> Vec<bool> {
    let mut sums = vec![0u32; published.cells.len()];
    let mut uses = vec![0u32; published.cells.len()];
    for line in &published.lines {
        sums[line.total as usize] += 1;
        line.parts.iter().for_each(|&p| uses[p as usize] += 1);
    }
    let candidate = |l: &crate::published::Line| sums[l.total as usize] > 1 && l.parts.iter().all(|&p| sums[p as usize] == 1);
    let mut implied: Vec<bool> = published.lines.iter().map(candidate).collect();
    // One line of each total stays: one whose parts are parts of nothing else, else the first.
    let mut left = sums;
    published.lines.iter().zip(&implied).filter(|x| *x.1).for_each(|(l, _)| left[l.total as usize] -= 1);
    for alone in [true, false] {
        for (i, line) in published.lines.iter().enumerate() {
            if implied[i] && left[line.total as usize] == 0 && (!alone || line.parts.iter().all(|&p| uses[p as usize] == 1)) {
                implied[i] = false;
                left[line.total as usize] = 1;
            }
        }
    }
    implied
}
