//! Findings in words that a person can follow: the value, then the relations with the shown figures put in.

use super::attack::Finding;
use super::system::{ENDLESS, Layer, Relation, interval};
use crate::published::{Field, Line, Published};

impl Finding {
    /// Sentences: what is given away, then by what. `label` names a cell. They are restricted: they tell what is hidden.
    pub fn told(&self, published: &Published, label: &dyn Fn(u32) -> String) -> Vec<String> {
        let field = if self.count.field == Field::Denominator { "denominator" } else { "numerator" };
        let teller = Teller { published, label };
        let first = format!("{field} of {} is {}", label(self.count.cell), self.value);
        std::iter::once(first).chain(self.because.iter().map(|r| teller.relation(*r))).collect()
    }
}

struct Teller<'a> {
    published: &'a Published,
    label: &'a dyn Fn(u32) -> String,
}

impl Teller<'_> {
    fn relation(&self, relation: Relation) -> String {
        let label = self.label;
        match relation {
            Relation::Line(line, layer) => self.line(&self.published.lines[line as usize], layer, "="),
            Relation::Cover(cover, layer) => self.line(&self.published.covers[cover as usize], layer, "at most"),
            Relation::Within(pair, layer) => {
                let (part, whole) = self.published.within[pair as usize];
                format!("{}: {} is part of {}", name(layer), self.count(part, layer), self.count(whole, layer))
            }
            Relation::Among(pair, layer) => {
                let (part, whole) = self.published.among[pair as usize];
                format!("{}: {} are among {}", name(layer), self.count(part, layer), self.count(whole, layer))
            }
            Relation::Same(pair) => {
                let (a, b) = self.published.same[pair as usize];
                format!("the same students: {} and {}", self.count(a, Layer::Denominator), self.count(b, Layer::Denominator))
            }
            Relation::Cell(cell) => {
                let [d, n] = [Layer::Denominator, Layer::Numerator].map(|l| span(self.interval(cell, l)));
                format!("{}: denominator {d}, numerator {n}, and the numerator is part of the denominator", label(cell))
            }
        }
    }

    fn line(&self, line: &Line, layer: Layer, sign: &str) -> String {
        let known = |c: &&u32| {
            let (low, high) = self.interval(**c, layer);
            low == high
        };
        let shown: Vec<&u32> = line.parts.iter().filter(known).collect();
        let mut parts: Vec<String> = line.parts.iter().filter(|c| !known(c)).map(|&c| self.count(c, layer)).collect();
        let sum: i64 = shown.iter().map(|&&c| self.interval(c, layer).0).sum();
        match shown[..] {
            [] => {}
            [&one] => parts.push(self.count(one, layer)),
            _ => parts.push(format!("{sum} in {} shown parts", shown.len())),
        }
        format!("{}: {} {sign} {}", name(layer), self.count(line.total, layer), parts.join(" + "))
    }

    fn count(&self, cell: u32, layer: Layer) -> String {
        format!("{} ({})", (self.label)(cell), span(self.interval(cell, layer)))
    }

    /// What is shown of a count by itself.
    fn interval(&self, cell: u32, layer: Layer) -> (i64, i64) {
        let cell = &self.published.cells[cell as usize];
        let d = interval(cell.denominator, self.published.hidden_minimum);
        let n = interval(cell.numerator, 0);
        let n = (n.0, n.1.min(d.1));
        match layer {
            Layer::Denominator => d,
            Layer::Numerator => n,
            Layer::Rest => ((d.0 - n.1).max(0), if d.1 >= ENDLESS { ENDLESS } else { d.1 - n.0 }),
        }
    }
}

fn name(layer: Layer) -> &'static str {
    match layer {
        Layer::Denominator => "denominators",
        Layer::Numerator => "numerators",
        Layer::Rest => "denominators less numerators",
    }
}

fn span((low, high): (i64, i64)) -> String {
    if low == high {
        low.to_string()
    } else if high >= ENDLESS {
        format!("hidden, at least {low}")
    } else {
        format!("hidden, {low} to {high}")
    }
}
