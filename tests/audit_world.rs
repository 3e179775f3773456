//! Small worlds for the tests of the audit: random students in random hierarchies, what a publisher shows of them, and every whole-number
//! table that agrees with it, by enumeration. It shares no code with the audit.

use perkins::published::{Cell, Count, Field, Known, Line, Published, Table};

/// Random numbers, the same every time (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// From 0 to below the bound.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// What is true and what is shown of it.
pub struct World {
    pub published: Published,
    pub truth: Table,
}

/// How a world is drawn.
struct Shape {
    /// Parent of each entity but the first.
    parent: Vec<usize>,
    genders: usize,
    races: usize,
    overlapping: usize,
    indicators: usize,
    students: usize,
    tree_lines: bool,
}

fn shape(random: &mut Random) -> Shape {
    let entities = 1 + random.below(4);
    let kind = random.below(6);
    Shape {
        parent: (1..entities).map(|e| if kind == 0 { e - 1 } else { random.below(e) }).collect(),
        genders: [0, 2, 2, 2, 3, 0][kind],
        races: [0, 0, 0, 2, 0, 2][kind],
        overlapping: [1, 0, 1, 0, 1, 2][kind],
        indicators: 1 + usize::from(random.chance(25)),
        students: 1 + random.below(3),
        tree_lines: random.chance(90),
    }
}

/// Counts of one leaf: by gender × race, and of overlapping groups.
struct Leaf {
    joint: Vec<(i64, Vec<i64>)>,
    overlapping: Vec<(i64, Vec<i64>)>,
}

fn leaf(shape: &Shape, random: &mut Random) -> Leaf {
    let zero = || (0, vec![0; shape.indicators]);
    let kinds = shape.genders.max(1) * shape.races.max(1);
    let mut leaf = Leaf { joint: (0..kinds).map(|_| zero()).collect(), overlapping: (0..shape.overlapping).map(|_| zero()).collect() };
    let rate = [10, 50, 90][random.below(3)];
    for kind in 0..kinds {
        for _ in 0..random.below(shape.students + 1) {
            let meets: Vec<i64> = (0..shape.indicators).map(|_| i64::from(random.chance(rate))).collect();
            let add = |to: &mut (i64, Vec<i64>)| {
                to.0 += 1;
                to.1.iter_mut().zip(&meets).for_each(|(t, m)| *t += m);
            };
            add(&mut leaf.joint[kind]);
            for group in &mut leaf.overlapping {
                if random.chance(40) {
                    add(group);
                }
            }
        }
    }
    leaf
}

/// The groups of an entity: All, genders, races, overlapping ones.
fn groups(shape: &Shape, leaves: &[Leaf], below: &[usize]) -> Vec<(i64, Vec<i64>)> {
    let races = shape.races.max(1);
    let count = 1 + shape.genders + shape.races + shape.overlapping;
    let mut groups = vec![(0, vec![0; shape.indicators]); count];
    let mut add = |g: usize, from: &(i64, Vec<i64>)| {
        groups[g].0 += from.0;
        groups[g].1.iter_mut().zip(&from.1).for_each(|(t, n)| *t += n);
    };
    for &entity in below {
        for (kind, counts) in leaves[entity].joint.iter().enumerate() {
            add(0, counts);
            if shape.genders > 0 {
                add(1 + kind / races, counts);
            }
            if shape.races > 0 {
                add(1 + shape.genders + kind % races, counts);
            }
        }
        for (o, counts) in leaves[entity].overlapping.iter().enumerate() {
            add(1 + shape.genders + shape.races + o, counts);
        }
    }
    groups
}

/// A random world; hidden counts and bands as a careless or careful publisher leaves them.
pub fn world(seed: u64) -> World {
    let random = &mut Random::new(seed);
    let shape = shape(random);
    let entities = shape.parent.len() + 1;
    let children = |e: usize| (1..entities).filter(|&c| shape.parent[c - 1] == e).collect::<Vec<_>>();
    let below = |e: usize| {
        let mut all = vec![e];
        let mut at = 0;
        while at < all.len() {
            all.extend(children(all[at]));
            at += 1;
        }
        all.into_iter().filter(|&e| children(e).is_empty()).collect::<Vec<_>>()
    };
    let leaves: Vec<Leaf> = (0..entities).map(|_| leaf(&shape, random)).collect();
    let figures: Vec<Vec<(i64, Vec<i64>)>> = (0..entities).map(|e| groups(&shape, &leaves, &below(e))).collect();
    let minimum = i64::from(random.chance(50));
    let mut world = World { published: Published { hidden_minimum: minimum, ..Published::default() }, truth: Table::default() };
    let count = figures[0].len();
    // A row exists only for somebody, where the public knows that.
    let mut cell = vec![None; entities * count * shape.indicators];
    for i in 0..shape.indicators {
        for e in 0..entities {
            for g in 0..count {
                let (denominator, numerators) = &figures[e][g];
                if *denominator >= minimum {
                    cell[(i * entities + e) * count + g] = Some(world.published.cells.len() as u32);
                    world.truth.denominator.push(*denominator);
                    world.truth.numerator.push(numerators[i]);
                    world.published.cells.push(Cell { denominator: Known::Hidden, numerator: Known::Hidden });
                }
            }
        }
    }
    let at = |i: usize, e: usize, g: usize| cell[(i * entities + e) * count + g];
    for i in 0..shape.indicators {
        for e in 0..entities {
            relate(&mut world.published, &shape, i, e, &children(e), &at, random);
        }
    }
    // Those who count here count there too, and the public knows it, where it is so.
    let numerator = &world.truth.numerator;
    world.published.among.retain(|&(part, whole)| numerator[part as usize] <= numerator[whole as usize]);
    show(&mut world, random);
    world
}

fn relate(
    published: &mut Published,
    shape: &Shape,
    i: usize,
    e: usize,
    children: &[usize],
    at: &impl Fn(usize, usize, usize) -> Option<u32>,
    random: &mut Random,
) {
    let count = 1 + shape.genders + shape.races + shape.overlapping;
    let mut line = |total: Option<u32>, parts: Vec<Option<u32>>| {
        if let Some(total) = total {
            published.lines.push(Line { total, parts: parts.into_iter().flatten().collect() });
        }
    };
    if shape.genders > 0 {
        line(at(i, e, 0), (0..shape.genders).map(|g| at(i, e, 1 + g)).collect());
    }
    if shape.races > 0 {
        line(at(i, e, 0), (0..shape.races).map(|g| at(i, e, 1 + shape.genders + g)).collect());
    }
    if !children.is_empty() && shape.tree_lines {
        (0..count).for_each(|g| line(at(i, e, g), children.iter().map(|&c| at(i, c, g)).collect()));
    }
    // Where the public knows no sum, it may know that everybody is in a part, and what else there is makes no difference.
    if !children.is_empty() && !shape.tree_lines && random.chance(60) {
        for g in 0..count {
            let parts = children.iter().map(|&c| at(i, c, g)).chain([random.chance(20).then(|| at(i, e, 0)).flatten()]);
            let parts: Vec<u32> = parts.flatten().collect();
            published.covers.extend(at(i, e, g).filter(|t| !parts.contains(t)).map(|total| Line { total, parts }));
        }
    }
    for g in 0..count {
        if g > 0
            && let (Some(part), Some(whole)) = (at(i, e, g), at(i, e, 0))
            && (g > shape.genders + shape.races || random.chance(30))
        {
            if g > shape.genders + shape.races && random.chance(30) {
                published.among.push((part, whole));
            } else {
                published.within.push((part, whole));
            }
        }
        if let (Some(a), Some(b)) = (at(0, e, g), at(i, e, g))
            && i > 0
        {
            published.same.push((a, b));
            if random.chance(30) {
                published.among.push((b, a));
            }
        }
    }
}

/// Hides cells below a threshold and some others, and draws bands.
fn show(world: &mut World, random: &mut Random) {
    let (threshold, more) = (random.below(5) as i64, [0, 20, 50, 90][random.below(4)]);
    let (numerators, bands) = ([0, 20, 60][random.below(3)], [0, 20, 60][random.below(3)]);
    for i in 0..world.published.cells.len() {
        let (d, n) = (world.truth.denominator[i], world.truth.numerator[i]);
        let hidden = (d > 0 && d < threshold || random.chance(more)) && d >= world.published.hidden_minimum;
        let wide =
            |random: &mut Random, value: i64| Known::Between((value - random.below(3) as i64).max(0), value + random.below(3) as i64);
        let numerator = match (hidden && random.chance(90) || random.chance(numerators), random.chance(bands)) {
            (_, true) => wide(random, n),
            (true, _) => Known::Hidden,
            _ => Known::Exactly(n),
        };
        let denominator = match (hidden, random.chance(5)) {
            (true, true) => wide(random, d),
            (true, false) => Known::Hidden,
            _ => Known::Exactly(d),
        };
        world.published.cells[i] = Cell { denominator, numerator };
    }
}

/// Whether a table agrees with everything published.
pub fn agrees(published: &Published, table: &Table) -> bool {
    let (d, n) = (&table.denominator, &table.numerator);
    let shown = |known: Known, value: i64, least: i64| match known {
        Known::Exactly(shown) => value == shown,
        Known::Between(low, high) => low <= value && value <= high,
        Known::Hidden => value >= least,
    };
    let cells = published
        .cells
        .iter()
        .enumerate()
        .all(|(i, c)| shown(c.denominator, d[i], published.hidden_minimum) && shown(c.numerator, n[i], 0) && 0 <= n[i] && n[i] <= d[i]);
    let sum = |of: &[i64], parts: &[u32]| parts.iter().map(|&p| of[p as usize]).sum::<i64>();
    let lines = published.lines.iter().all(|l| [d, n].iter().all(|x| x[l.total as usize] == sum(x, &l.parts)));
    let within = published.within.iter().all(|&(p, w)| {
        let (p, w) = (p as usize, w as usize);
        d[p] <= d[w] && n[p] <= n[w] && d[p] - n[p] <= d[w] - n[w]
    });
    let among = published.among.iter().all(|&(p, w)| d[p as usize] <= d[w as usize] && n[p as usize] <= n[w as usize]);
    let covers = published.covers.iter().all(|l| [d, n].iter().all(|x| x[l.total as usize] <= sum(x, &l.parts)));
    cells && lines && covers && within && among && published.same.iter().all(|&(a, b)| d[a as usize] == d[b as usize])
}

/// The counts that are not shown.
pub fn hidden(published: &Published) -> Vec<Count> {
    let fields = |c: &Cell| [(Field::Denominator, c.denominator), (Field::Numerator, c.numerator)];
    let counts =
        published.cells.iter().enumerate().flat_map(|(i, c)| fields(c).map(|(field, known)| (Count { cell: i as u32, field }, known)));
    counts.filter(|(_, known)| !matches!(known, Known::Exactly(_))).map(|(count, _)| count).collect()
}

/// A count of a table.
pub fn value(table: &Table, count: Count) -> i64 {
    let column = if count.field == Field::Denominator { &table.denominator } else { &table.numerator };
    column[count.cell as usize]
}
