//! Sparse vectors modulo the prime: relations in echelon form, and the protected vectors as coordinates are struck out.

use super::field;

/// A variable and its factor modulo the prime, never 0.
pub type Term = (u32, u64);

/// A term from a whole factor.
pub fn term(variable: u32, factor: i64) -> Term {
    (variable, field::from(factor))
}

/// Adds up terms in one place for each variable.
pub struct Scatter {
    sums: Vec<u64>,
    touched: Vec<u32>,
}

impl Scatter {
    pub fn new(variables: usize) -> Self {
        Scatter { sums: vec![u64::MAX; variables], touched: Vec::new() }
    }

    pub fn add(&mut self, variable: u32, factor: u64) {
        let sum = &mut self.sums[variable as usize];
        if *sum == u64::MAX {
            *sum = 0;
            self.touched.push(variable);
        }
        *sum = field::add(*sum, factor);
    }

    /// The vector, by ascending variable, and nothing is left.
    pub fn take(&mut self) -> Vec<Term> {
        self.touched.sort_unstable();
        let sums = &mut self.sums;
        self.touched.drain(..).map(|v| (v, std::mem::replace(&mut sums[v as usize], u64::MAX))).filter(|t| t.1 != 0).collect()
    }
}

/// Relations, each solved for its last variable: `rows[v]` gives v by earlier variables; empty if no relation ends with v.
pub struct Echelon {
    pub rows: Vec<Vec<Term>>,
}

impl Echelon {
    pub fn new(variables: usize, relations: Vec<Vec<Term>>) -> Self {
        let mut ending: Vec<Vec<Vec<Term>>> = vec![Vec::new(); variables];
        for mut relation in relations {
            relation.sort_unstable_by_key(|t| t.0);
            if let Some(last) = relation.last() {
                ending[last.0 as usize].push(relation);
            }
        }
        let mut rows = vec![Vec::new(); variables];
        for v in (0..variables).rev() {
            let mut list = std::mem::take(&mut ending[v]);
            // The shortest relation is the pivot: the others take on the fewest terms.
            let Some(shortest) = (0..list.len()).min_by_key(|i| list[*i].len()) else { continue };
            let pivot = solved(list.swap_remove(shortest));
            for relation in list {
                let rest = with_last_replaced(&relation, &pivot);
                if let Some(last) = rest.last() {
                    ending[last.0 as usize].push(rest);
                }
            }
            rows[v] = pivot;
        }
        Echelon { rows }
    }

    /// The protected variables (from `candidates` on), then `combinations`, by coordinates: variables that no relation gives.
    pub fn in_coordinates(&self, candidates: u32, combinations: &[Vec<Term>], scatter: &mut Scatter) -> Vec<Vec<Term>> {
        let mut needed = vec![false; self.rows.len()];
        needed[candidates as usize..].fill(true);
        combinations.iter().flatten().for_each(|t| needed[t.0 as usize] = true);
        for v in (0..self.rows.len()).rev() {
            if needed[v] {
                self.rows[v].iter().for_each(|t| needed[t.0 as usize] = true);
            }
        }
        let mut full: Vec<Vec<Term>> = vec![Vec::new(); self.rows.len()];
        for v in (0..self.rows.len()).filter(|v| needed[*v]) {
            full[v] = if self.rows[v].is_empty() { vec![(v as u32, 1)] } else { expand(&self.rows[v], &full, scatter) };
        }
        let combined: Vec<Vec<Term>> = combinations.iter().map(|c| expand(c, &full, scatter)).collect();
        let mut list = full.split_off(candidates as usize);
        list.extend(combined);
        list
    }
}

fn expand(row: &[Term], full: &[Vec<Term>], scatter: &mut Scatter) -> Vec<Term> {
    for &(v, factor) in row {
        full[v as usize].iter().for_each(|&(u, c)| scatter.add(u, field::multiply(c, factor)));
    }
    scatter.take()
}

/// The last variable of a relation by the others.
fn solved(mut relation: Vec<Term>) -> Vec<Term> {
    if let Some((_, factor)) = relation.pop() {
        let by = field::negate(field::invert(factor));
        relation.iter_mut().for_each(|t| t.1 = field::multiply(t.1, by));
    }
    relation
}

/// A relation with its last variable replaced by what gives it.
fn with_last_replaced(relation: &[Term], given: &[Term]) -> Vec<Term> {
    let Some((&(_, factor), rest)) = relation.split_last() else { return Vec::new() };
    let mut sum = Vec::with_capacity(rest.len() + given.len());
    let (mut left, mut right) = (rest.iter().copied().peekable(), given.iter().map(|&(v, c)| (v, field::multiply(c, factor))).peekable());
    loop {
        let take_left = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if a.0 == b.0 => {
                let both = (a.0, field::add(a.1, b.1));
                sum.extend((both.1 != 0).then_some(both));
                left.next();
                right.next();
                continue;
            }
            (Some(a), Some(b)) => a.0 < b.0,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return sum,
        };
        sum.extend(if take_left { left.next() } else { right.next() });
    }
}

/// Protected vectors in coordinates.
pub struct Vectors {
    terms: Vec<Vec<Term>>,
    /// How many coordinates of a vector are open, and the exclusive or of their numbers: the last one by itself.
    open: Vec<(u32, u32)>,
    /// The vectors in which a coordinate is, or was.
    used_in: Vec<Vec<u32>>,
    /// The first vector that has only this coordinate left.
    alone: Vec<u32>,
}

const NOBODY: u32 = u32::MAX;

impl Vectors {
    pub fn new(variables: usize, terms: Vec<Vec<Term>>) -> Self {
        let mut used_in: Vec<Vec<u32>> = vec![Vec::new(); variables];
        for (id, list) in terms.iter().enumerate() {
            list.iter().for_each(|t| used_in[t.0 as usize].push(id as u32));
        }
        let mut vectors = Vectors { open: vec![(0, 0); terms.len()], terms, used_in, alone: vec![NOBODY; variables] };
        (0..vectors.terms.len() as u32).for_each(|id| vectors.count(id));
        vectors
    }

    fn count(&mut self, id: u32) {
        let terms = &self.terms[id as usize];
        let last = terms.iter().fold(0, |x, t| x ^ t.0);
        self.open[id as usize] = (terms.len() as u32, last);
        self.note_alone(id);
    }

    fn note_alone(&mut self, id: u32) {
        if let (1, last) = self.open[id as usize] {
            let first = &mut self.alone[last as usize];
            *first = id.min(*first);
        }
    }

    /// Vectors that are 0 from the start.
    pub fn empty(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.terms.len() as u32).filter(|id| self.terms[*id as usize].is_empty())
    }

    /// In how many vectors a coordinate is, or was.
    pub fn uses(&self, coordinate: u32) -> usize {
        self.used_in[coordinate as usize].len()
    }

    /// A protected vector that is a multiple of this coordinate.
    pub fn alone(&self, coordinate: u32) -> Option<u32> {
        Some(self.alone[coordinate as usize]).filter(|id| *id != NOBODY)
    }

    /// The vectors with this coordinate, each once; it is not asked for again.
    fn users(&mut self, coordinate: u32) -> Vec<u32> {
        let mut list = std::mem::take(&mut self.used_in[coordinate as usize]);
        list.sort_unstable();
        list.dedup();
        list.retain(|id| self.terms[*id as usize].binary_search_by_key(&coordinate, |t| t.0).is_ok());
        list
    }

    /// A coordinate becomes 0.
    pub fn strike(&mut self, coordinate: u32, given_away: &mut Vec<u32>) {
        for id in self.users(coordinate) {
            let (count, last) = &mut self.open[id as usize];
            (*count, *last) = (*count - 1, *last ^ coordinate);
            match *count {
                0 => given_away.push(id),
                _ => self.note_alone(id),
            }
        }
    }

    /// A protected vector that is a multiple of `value`.
    pub fn parallel(&self, value: &[Term], is_open: &impl Fn(u32) -> bool) -> Option<u32> {
        let rarest = value.iter().min_by_key(|t| self.uses(t.0))?;
        if value.len() == 1 {
            return self.alone(rarest.0);
        }
        let same_length = |id: &&u32| self.open[**id as usize].0 as usize == value.len();
        self.used_in[rarest.0 as usize].iter().filter(same_length).find(|id| self.is_multiple(**id, value, is_open)).copied()
    }

    fn is_multiple(&self, id: u32, value: &[Term], is_open: &impl Fn(u32) -> bool) -> bool {
        let mut first: Option<(u64, u64)> = None;
        let mut own = self.terms[id as usize].iter().filter(|t| is_open(t.0));
        value.iter().all(|&(v, c)| {
            own.next().is_some_and(|&(u, d)| {
                let (c0, d0) = *first.get_or_insert((c, d));
                u == v && field::multiply(c, d0) == field::multiply(d, c0)
            })
        })
    }

    /// A coordinate becomes a combination of others.
    pub fn substitute(
        &mut self,
        coordinate: u32,
        by: &[Term],
        scatter: &mut Scatter,
        is_open: impl Fn(u32) -> bool,
        given_away: &mut Vec<u32>,
    ) {
        for id in self.users(coordinate) {
            let before = std::mem::take(&mut self.terms[id as usize]);
            let factor = before.binary_search_by_key(&coordinate, |t| t.0).map_or(0, |at| before[at].1);
            before.iter().filter(|t| is_open(t.0)).for_each(|&(v, c)| scatter.add(v, c));
            by.iter().for_each(|&(v, c)| scatter.add(v, field::multiply(c, factor)));
            let after = scatter.take();
            for (v, _) in &after {
                if before.binary_search_by_key(v, |t| t.0).is_err() {
                    self.used_in[*v as usize].push(id);
                }
            }
            self.terms[id as usize] = after;
            self.count(id);
            if self.open[id as usize].0 == 0 {
                given_away.push(id);
            }
        }
    }
}
