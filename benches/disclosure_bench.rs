//! Protection of a synthetic state at full size: seconds, peak memory, figures by level and treatment.
//!
//! `disclosure_bench [cohorts] [threads]`: 197 districts, 1,500 schools, 40 groups; 11 cohorts are 750,000 figures.

use perkins::disclosure::{Attacker, EntityLine, Figure, Found, Group, Membership, Policy, Release, protect_against};
use std::time::Instant;

const DISTRICTS: u32 = 197;
const SCHOOLS: u32 = 1500;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        self.next() as f64 / (1u64 << 53) as f64
    }

    /// About normal.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    fn pick(&mut self, shares: &[f64]) -> usize {
        let mut at = self.unit() * shares.iter().sum::<f64>();
        shares
            .iter()
            .position(|s| {
                at -= s;
                at < 0.0
            })
            .unwrap_or(0)
    }
}

const RACE: [f64; 7] = [0.014, 0.045, 0.03, 0.25, 0.008, 0.06, 0.6];
const SPECIAL: [f64; 12] = [0.5, 0.5, 0.14, 0.09, 0.03, 0.02, 0.01, 0.02, 0.005, 0.04, 0.3, 0.15];

/// All, 3 genders, 7 races, 12 special populations, 17 clusters.
fn groups() -> Vec<Group> {
    let of = |kind, membership, count| std::iter::repeat_n(Group { kind, membership }, count);
    let partitions = of(0, Membership::All, 1).chain(of(1, Membership::Partition, 3)).chain(of(2, Membership::Partition, 7));
    partitions.chain(of(3, Membership::Overlap, 12)).chain(of(4, Membership::Overlap, 17)).collect()
}

/// One cohort's denominators and numerators by entity and group.
fn cohort(random: &mut Random, groups: usize, share: f64, rate: f64) -> Vec<(i64, i64)> {
    let mut table = vec![(0, 0); (1 + DISTRICTS + SCHOOLS) as usize * groups];
    let tree = tree();
    let races: Vec<Vec<f64>> = (0..DISTRICTS).map(|_| RACE.iter().map(|r| r * (0.9 * random.normal()).exp()).collect()).collect();
    for school in 0..SCHOOLS {
        let district = tree[school as usize];
        let students = ((4.6 + random.normal()).exp() * share) as u32;
        let clusters: Vec<f64> = (0..17).map(|_| if random.unit() < 0.35 { random.unit() } else { 0.0 }).collect();
        let own_rate = rate + 0.12 * random.normal();
        for _ in 0..students {
            let mut of = vec![0, 1 + random.pick(&[0.49, 0.508, 0.002]), 4 + random.pick(&races[district as usize])];
            of.extend((0..12).filter(|s| random.unit() < SPECIAL[*s]).map(|s| 11 + s));
            of.push(23 + random.pick(&clusters));
            let counts = i64::from(random.unit() < own_rate);
            for entity in [0, 1 + district, 1 + DISTRICTS + school] {
                for g in &of {
                    let cell = &mut table[entity as usize * groups + g];
                    *cell = (cell.0 + 1, cell.1 + counts);
                }
            }
        }
    }
    table
}

fn release(cohorts: u16) -> Release {
    let groups = groups();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut release = Release { groups: groups.clone(), ..Release::default() };
    release.entities = std::iter::once(0).chain((0..DISTRICTS).map(|_| 2)).chain((0..SCHOOLS).map(|_| 3)).collect();
    for c in 0..cohorts {
        let shared = (1..3).contains(&c);
        let before = release.figures.len();
        // Cohorts 0, 1 and 2 have the same students, as 5S1, 5S2 and 5S3 have.
        let mut random_of = Random(0xABCD_EF12 + u64::from(if shared { 0 } else { c }));
        let rate = 0.35 + 0.6 * random.unit();
        let table =
            cohort(&mut random_of, groups.len(), 1.0 - 0.05 * if shared { 0.0 } else { f64::from(c) }, if shared { 0.6 } else { rate });
        let mut at = 0;
        for (i, (d, n)) in table.iter().enumerate().filter(|(_, t)| t.0 > 0) {
            release.figures.push(Figure {
                cohort: c,
                entity: (i / groups.len()) as u32,
                group: (i % groups.len()) as u16,
                denominator: *d,
                numerator: Some(*n),
            });
            if shared {
                release.same.push((at, (before as u32) + at));
            }
            at += 1;
        }
    }
    add_lines(&mut release, cohorts);
    release
}

fn add_lines(release: &mut Release, cohorts: u16) {
    let tree = tree();
    for c in 0..cohorts {
        release.lines.push(EntityLine { cohort: c, total: 0, parts: (1..=DISTRICTS).collect() });
        for d in 0..DISTRICTS {
            let parts = (0..SCHOOLS).filter(|s| tree[*s as usize] == d).map(|s| 1 + DISTRICTS + s).collect();
            release.lines.push(EntityLine { cohort: c, total: 1 + d, parts });
        }
    }
}

/// The district of each school.
fn tree() -> Vec<u32> {
    let mut random = Random(77);
    (0..SCHOOLS).map(|s| if s < DISTRICTS { s } else { ((random.unit() * random.unit()) * f64::from(DISTRICTS)) as u32 }).collect()
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|a| a.parse::<u16>().ok());
    let (cohorts, threads) = (arguments.next().unwrap_or(11), arguments.next().unwrap_or(2));
    let release = release(cohorts);
    println!("{} figures", release.figures.len());
    let policy = Policy { smallest: 7, ..Policy::FEDERAL };
    let attacker: &Attacker = &|p| {
        let start = Instant::now();
        if std::env::args().nth(3).is_none() {
            return Found::default();
        }
        let a = perkins::audit::attack(p, 1);
        let (given_away, undecided): (Vec<_>, _) = (a.findings.into_iter().map(|f| f.count).collect(), a.undecided);
        println!("attack {:.2} s: {} findings, {} undecided", start.elapsed().as_secs_f64(), given_away.len(), undecided.len());
        Found { given_away, undecided: Vec::new() }
    };
    let start = Instant::now();
    match protect_against(&release, &policy, threads.into(), attacker) {
        Err(e) => println!("{e}"),
        Ok(protection) => {
            println!("{:.2} s, {} rounds, {} open", start.elapsed().as_secs_f64(), protection.rounds, protection.open.len());
            println!("{:#?}", protection.utility);
        }
    }
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", peak.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default());
}
