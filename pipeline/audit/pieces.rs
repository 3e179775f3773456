//! What hangs together: cells that a relation among unknown counts joins. Pieces are attacked apart from each other.

use crate::published::{Known, Published};

/// Cells joined by relations, and these relations, all by index and in order.
#[derive(Debug, Default, Clone)]
pub(super) struct Piece {
    pub cells: Vec<u32>,
    pub lines: Vec<u32>,
    pub covers: Vec<u32>,
    pub within: Vec<u32>,
    pub among: Vec<u32>,
    pub same: Vec<u32>,
}

/// Sets of numbers that were joined; the smallest number of a set stands for it.
pub(super) struct Joined(Vec<u32>);

impl Joined {
    pub fn new(count: usize) -> Joined {
        Joined((0..count as u32).collect())
    }

    pub fn first(&mut self, mut of: u32) -> u32 {
        while self.0[of as usize] != of {
            self.0[of as usize] = self.0[self.0[of as usize] as usize];
            of = self.0[of as usize];
        }
        of
    }

    pub fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.first(a), self.first(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}

/// Whether a cell has a count that is not shown.
fn open(published: &Published, cell: u32) -> bool {
    let cell = &published.cells[cell as usize];
    !matches!((cell.denominator, cell.numerator), (Known::Exactly(_), Known::Exactly(_)))
}

/// All pieces with a hidden count, in the order of their first hidden cell, and the position of each cell in its piece. Shown cells belong
/// to every piece that a relation takes them to, so their position is the one in the piece that is looked at: see [`Pieces::place`].
pub(super) struct Pieces {
    pub pieces: Vec<Piece>,
    /// Relations whose cells are all shown, to be checked.
    pub shown: Piece,
}

impl Pieces {
    pub fn of(published: &Published) -> Pieces {
        let mut joined = Joined::new(published.cells.len());
        let is_open: Vec<bool> = (0..published.cells.len() as u32).map(|c| open(published, c)).collect();
        let mut join = |cells: &mut dyn Iterator<Item = u32>| {
            let mut cells = cells.filter(|&c| is_open[c as usize]);
            if let Some(first) = cells.next() {
                cells.for_each(|c| joined.join(first, c));
            }
        };
        published.lines.iter().chain(&published.covers).for_each(|l| join(&mut l.parts.iter().copied().chain([l.total])));
        published.within.iter().chain(&published.among).chain(&published.same).for_each(|&(a, b)| join(&mut [a, b].into_iter()));
        let mut number = vec![u32::MAX; published.cells.len()];
        let mut pieces: Vec<Piece> = Vec::new();
        for cell in (0..published.cells.len() as u32).filter(|&c| is_open[c as usize]) {
            let first = joined.first(cell) as usize;
            if number[first] == u32::MAX {
                number[first] = pieces.len() as u32;
                pieces.push(Piece::default());
            }
            number[cell as usize] = number[first];
            pieces[number[cell as usize] as usize].cells.push(cell);
        }
        let mut all = Pieces { pieces, shown: Piece::default() };
        all.relations(published, &number);
        all
    }

    fn relations(&mut self, published: &Published, number: &[u32]) {
        for (i, line) in published.lines.iter().enumerate() {
            let cells = || line.parts.iter().copied().chain([line.total]);
            self.piece(number, &mut cells()).lines.push(i as u32);
        }
        for (i, cover) in published.covers.iter().enumerate() {
            let cells = || cover.parts.iter().copied().chain([cover.total]);
            self.piece(number, &mut cells()).covers.push(i as u32);
        }
        let in_line = parts(published);
        for (i, &(part, whole)) in published.within.iter().enumerate() {
            if in_line.binary_search(&(part, whole)).is_err() {
                self.piece(number, &mut [part, whole].into_iter()).within.push(i as u32);
            }
        }
        for (i, &(part, whole)) in published.among.iter().enumerate() {
            self.piece(number, &mut [part, whole].into_iter()).among.push(i as u32);
        }
        for (i, &(a, b)) in published.same.iter().enumerate() {
            self.piece(number, &mut [a, b].into_iter()).same.push(i as u32);
        }
    }

    fn piece(&mut self, number: &[u32], cells: &mut dyn Iterator<Item = u32>) -> &mut Piece {
        match cells.map(|c| number[c as usize]).find(|&n| n != u32::MAX) {
            Some(n) => &mut self.pieces[n as usize],
            None => &mut self.shown,
        }
    }
}

/// (part, total) of lines, sorted: such a part is within its total without being told.
fn parts(published: &Published) -> Vec<(u32, u32)> {
    if published.within.is_empty() {
        return Vec::new();
    }
    let mut all: Vec<(u32, u32)> = published.lines.iter().flat_map(|l| l.parts.iter().map(|&p| (p, l.total))).collect();
    all.sort_unstable();
    all
}

impl Piece {
    /// Adds the shown cells that its relations speak of (after the hidden ones), and writes the position of each of its cells into
    /// `place`.
    pub fn complete(&mut self, published: &Published, place: &mut [u32]) {
        let hidden = self.cells.len();
        let lines = self.lines.iter().map(|&l| &published.lines[l as usize]);
        for line in lines.chain(self.covers.iter().map(|&c| &published.covers[c as usize])) {
            self.cells.extend(line.parts.iter().chain([&line.total]).filter(|&&c| !open(published, c)));
        }
        let pairs = [(&self.within, &published.within), (&self.among, &published.among), (&self.same, &published.same)];
        let pairs = pairs.into_iter().flat_map(|(own, all)| own.iter().map(|&p| all[p as usize]));
        let ends: Vec<u32> = pairs.flat_map(|(a, b)| [a, b]).filter(|&c| !open(published, c)).collect();
        self.cells.extend(ends);
        self.cells[hidden..].sort_unstable();
        self.cells.dedup();
        for (i, &cell) in self.cells.iter().enumerate() {
            place[cell as usize] = i as u32;
        }
    }
}
