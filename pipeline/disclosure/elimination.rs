//! Which figures can be published, by sparse elimination modulo a prime.
//!
//! In the manner of GaussSuppression (Langsrud, 2024; Statistics Norway): every figure is a combination of free coordinates; candidates are
//! published in order, unless a protected combination would then be one of what is published. Modulo 2^61 − 1 there is no tolerance to
//! choose; that a non-zero determinant of these tables is a multiple of the prime is out of the question.
//!
//! Variables are numbered in the order in which they are to be published, protected ones last. So a relation expresses its last variable by
//! earlier ones, and nearly every step is only to strike a coordinate out.

mod field;
mod vectors;

use vectors::{Echelon, Scatter, Vectors};
pub use vectors::{Term, term};

/// What to decide: `variables` figures, of which the first `candidates` may be published, in order, and the others are protected.
pub struct Problem {
    pub variables: u32,
    pub candidates: u32,
    /// So many of the first candidates are published whatever follows.
    pub forced: u32,
    /// Combinations that are 0.
    pub relations: Vec<Vec<Term>>,
    /// Combinations that are protected beside the protected variables.
    pub combinations: Vec<Vec<Term>>,
}

/// Why a candidate is not published: index in the protected variables (from `candidates`), or in the combinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protected {
    Variable(u32),
    Combination(u32),
}

/// The decision.
pub struct Pattern {
    /// For each candidate, what it would give away; none if it is published.
    pub refused: Vec<Option<Protected>>,
    /// What the forced candidates give away.
    pub given_away: Vec<Protected>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// A coordinate that nothing published fixes.
    Open,
    /// Published, or 0 because of what is published.
    Fixed,
    /// Expressed by other coordinates because of what is published.
    Expressed,
}

struct Elimination {
    echelon: Echelon,
    scatter: Scatter,
    state: Vec<State>,
    /// Refused variables that are no coordinates, and expressed coordinates, by coordinates.
    values: Vec<Vec<Term>>,
    protected: Vectors,
    given_away: Vec<u32>,
}

/// Decides for every candidate.
pub fn solve(problem: Problem) -> Pattern {
    let (candidates, variables) = (problem.candidates, problem.variables);
    let own = variables - candidates;
    let name = |id: u32| if id < own { Protected::Variable(candidates + id) } else { Protected::Combination(id - own) };
    let mut work = Elimination::new(problem.variables, candidates, problem.relations, problem.combinations);
    let refused = (0..candidates).map(|v| work.offer(v, v < problem.forced).map(name)).collect();
    let mut given_away = work.given_away;
    given_away.sort_unstable();
    given_away.dedup();
    Pattern { refused, given_away: given_away.into_iter().map(name).collect() }
}

impl Elimination {
    fn new(variables: u32, candidates: u32, relations: Vec<Vec<Term>>, combinations: Vec<Vec<Term>>) -> Self {
        let mut scatter = Scatter::new(variables as usize);
        let echelon = Echelon::new(variables as usize, relations);
        let list = echelon.in_coordinates(candidates, &combinations, &mut scatter);
        let protected = Vectors::new(variables as usize, list);
        let given_away = protected.empty().collect();
        let values = vec![Vec::new(); variables as usize];
        Elimination { echelon, scatter, state: vec![State::Open; variables as usize], values, protected, given_away }
    }

    /// Publishes a candidate, or says which protected vector that would give away.
    fn offer(&mut self, v: u32, forced: bool) -> Option<u32> {
        let row = std::mem::take(&mut self.echelon.rows[v as usize]);
        if row.is_empty() {
            if let Some(id) = self.protected.alone(v).filter(|_| !forced) {
                return Some(id);
            }
            self.state[v as usize] = State::Fixed;
            self.protected.strike(v, &mut self.given_away);
            return None;
        }
        let value = self.resolve(&row);
        let state = &self.state;
        let given = self.protected.parallel(&value, &|u: u32| state[u as usize] == State::Open);
        if let Some(id) = given.filter(|_| !forced) {
            self.state[v as usize] = State::Expressed;
            self.values[v as usize] = value;
            return Some(id);
        }
        self.state[v as usize] = State::Fixed;
        self.fix(value);
        None
    }

    /// A combination of earlier variables, by open coordinates.
    fn resolve(&mut self, row: &[Term]) -> Vec<Term> {
        let mut rest: Vec<Term> = row.to_vec();
        while let Some((v, factor)) = rest.pop() {
            match self.state[v as usize] {
                State::Fixed => {}
                State::Open => self.scatter.add(v, factor),
                State::Expressed => rest.extend(self.values[v as usize].iter().map(|&(u, c)| (u, field::multiply(c, factor)))),
            }
        }
        self.scatter.take()
    }

    /// Takes in that a combination of open coordinates is published.
    fn fix(&mut self, value: Vec<Term>) {
        let Some(&(pivot, factor)) = value.iter().min_by_key(|(v, _)| self.protected.uses(*v)) else { return };
        let by = field::negate(field::invert(factor));
        let expression: Vec<Term> = value.iter().filter(|t| t.0 != pivot).map(|&(v, c)| (v, field::multiply(c, by))).collect();
        self.state[pivot as usize] = State::Expressed;
        let state = &self.state;
        self.protected.substitute(pivot, &expression, &mut self.scatter, |v| state[v as usize] == State::Open, &mut self.given_away);
        self.values[pivot as usize] = expression;
    }
}
