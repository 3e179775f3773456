//! Chance that is the same on every machine: SplitMix64 seeded from what a thing *is* (seed, kind, cohort, number), never from the order in
//! which things are made. Probabilities are compared with plain IEEE arithmetic, which is exact everywhere.

/// Which kind of thing a stream of chance belongs to; keeps streams of equal numbers apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    /// Institutions and programs.
    State = 1,
    /// A pupil's life.
    Pupil = 2,
    /// A college student's life.
    Adult = 3,
    /// The courses of one year in one program, so that two programs can be given the same.
    Course = 4,
    /// Which rows are spoilt, and how.
    Dirt = 5,
    /// Targets of grantees.
    Target = 6,
    /// Where a pupil lives, and what became of the applications.
    Admission = 7,
    /// CTE districts, and their seats.
    Region = 8,
    /// Measures of schools.
    Measure = 9,
    /// Awards and outlays.
    Fiscal = 10,
}

/// A small generator.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Rng {
    /// The stream of one thing.
    pub fn of(seed: u64, stream: Stream, parts: &[u64]) -> Rng {
        let start = mix(seed.wrapping_add(GAMMA) ^ ((stream as u64) << 56));
        Rng(parts.iter().fold(start, |state, part| mix(state.wrapping_add(GAMMA) ^ part)))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// At least 0 and below 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// At least 0 and below `end` (0 if `end` is 0).
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    /// From `low` to `high`, both possible.
    pub fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1).max(1) as usize) as i32
    }

    /// One of these; the default if there are none.
    pub fn pick<T: Copy + Default>(&mut self, of: &[T]) -> T {
        of.get(self.below(of.len())).copied().unwrap_or_default()
    }

    /// Puts these into a random order.
    pub fn shuffle<T>(&mut self, of: &mut [T]) {
        for i in (1..of.len()).rev() {
            of.swap(i, self.below(i + 1));
        }
    }
}

/// A base probability moved by an advantage, between 1 and 99 % (0 stays 0).
pub(super) fn moved(base: f64, slope: f64, advantage: f64) -> f64 {
    if base <= 0.0 { 0.0 } else { (base + slope * advantage).clamp(0.01, 0.99) }
}

/// Indices drawn by weight.
#[derive(Debug, Clone, Default)]
pub(super) struct Weights(Vec<f64>);

impl Weights {
    /// Weights in the order of the things they stand for.
    pub fn new(weights: impl IntoIterator<Item = f64>) -> Weights {
        let mut sum = 0.0;
        let sums = weights.into_iter().map(|w| {
            sum += w.max(0.0);
            sum
        });
        Weights(sums.collect())
    }

    /// The weight of an index.
    pub fn of(&self, at: usize) -> f64 {
        let before = at.checked_sub(1).and_then(|b| self.0.get(b)).copied().unwrap_or(0.0);
        self.0.get(at).map_or(0.0, |sum| sum - before)
    }

    /// An index (0 if there are no weights).
    pub fn draw(&self, rng: &mut Rng) -> usize {
        let Some(total) = self.0.last() else { return 0 };
        let at = rng.unit() * total;
        self.0.partition_point(|sum| *sum <= at).min(self.0.len() - 1)
    }
}
