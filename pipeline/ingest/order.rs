//! Sorting rows by their key: the key's fields are packed into 64-bit words, which a radix sort puts in order.

use super::column::Column;
use super::value::{NULL_INT, NULL_LONG};
use std::ops::Range;

/// Bits that one pass of the radix sort looks at.
const DIGIT: u32 = 11;

/// Rows in the order of their key, and for each whether its key is that of the row before.
pub struct Sorted {
    /// The rows.
    pub rows: Vec<u32>,
    /// Whether a row has the key of the one before.
    pub repeats: Vec<bool>,
}

/// Values of one key field as numbers from 0 on that sort as the values do, nulls first.
struct Part<'a> {
    column: &'a Column,
    least: i64,
    bits: u32,
}

impl Part<'_> {
    fn new(column: &Column, texts: usize) -> Part<'_> {
        let range = |values: &mut dyn Iterator<Item = i64>| values.fold((i64::MAX, i64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        let (least, most) = match column {
            Column::Bytes(_) | Column::Texts(_) => (0, texts as i64),
            Column::Ints(v) => range(&mut v.iter().filter(|v| **v != NULL_INT).map(|v| i64::from(*v))),
            Column::Longs(v) => range(&mut v.iter().filter(|v| **v != NULL_LONG).copied()),
        };
        let width = if least > most { 0 } else { most.abs_diff(least) + 1 };
        Part { column, least, bits: 64 - width.leading_zeros() }
    }

    /// Puts this part's number below what each word holds so far.
    fn add_to(&self, words: &mut [u64], rows: &[u32], shift: u32) {
        let least = self.least;
        let each = |value: &dyn Fn(usize) -> u64, words: &mut [u64]| {
            words.iter_mut().zip(rows).for_each(|(w, &r)| *w |= value(r as usize) << shift);
        };
        match self.column {
            // The sentinel of null is the largest value: one more is 0.
            Column::Bytes(v) => words.iter_mut().zip(rows).for_each(|(w, &r)| *w |= u64::from(v[r as usize].wrapping_add(1)) << shift),
            Column::Texts(v) => words.iter_mut().zip(rows).for_each(|(w, &r)| *w |= u64::from(v[r as usize].wrapping_add(1)) << shift),
            Column::Ints(v) => each(&|r| if v[r] == NULL_INT { 0 } else { (i64::from(v[r]) - least + 1) as u64 }, words),
            Column::Longs(v) => each(&|r| if v[r] == NULL_LONG { 0 } else { v[r].abs_diff(least) + 1 }, words),
        }
    }
}

/// Sorts rows by the fields of `key`, (column, number of codes or texts) each; rows with equal keys keep their order.
/// The rows of each range stand before those of the next, whatever their keys.
pub fn sort(key: &[(&Column, usize)], ranges: impl Iterator<Item = Range<u32>>) -> Sorted {
    let parts: Vec<Part> = key.iter().map(|(column, texts)| Part::new(column, *texts)).collect();
    let mut sorted = Sorted { rows: Vec::new(), repeats: Vec::new() };
    for range in ranges {
        sort_range(&parts, range, &mut sorted);
    }
    sorted
}

fn sort_range(parts: &[Part], range: Range<u32>, result: &mut Sorted) {
    let mut order: Vec<u32> = range.collect();
    let mut sorted: Vec<(u64, u32)> = Vec::new();
    // The last fields first: the sort is stable, so what was sorted before stays in order among equals.
    let mut rest = parts;
    let mut words_used = 0;
    while !rest.is_empty() {
        let mut words = vec![0u64; order.len()];
        let mut used = 0;
        while let Some((part, before)) = rest.split_last()
            && (used == 0 || used + part.bits <= 64)
        {
            part.add_to(&mut words, &order, used);
            used += part.bits;
            rest = before;
        }
        sorted = words.into_iter().zip(order).collect();
        radix_sort(&mut sorted, used.min(64));
        order = sorted.iter().map(|s| s.1).collect();
        words_used += 1;
    }
    let same = |a: u32, b: u32| parts.iter().all(|p| p.column.equal(a as usize, b as usize));
    let repeats = |i: usize| i > 0 && if words_used == 1 { sorted[i].0 == sorted[i - 1].0 } else { same(order[i], order[i - 1]) };
    result.repeats.extend((0..order.len()).map(repeats));
    result.rows.append(&mut order);
}

/// Sorts by the low `bits` of the first member; stable.
pub fn radix_sort(pairs: &mut Vec<(u64, u32)>, bits: u32) {
    if pairs.is_sorted_by_key(|p| p.0) {
        return;
    }
    if pairs.len() < 1 << 9 {
        pairs.sort_by_key(|p| p.0);
        return;
    }
    let passes = bits.div_ceil(DIGIT).max(1);
    let digit = bits.div_ceil(passes);
    let mask = (1u64 << digit) - 1;
    let mut other = vec![(0u64, 0u32); pairs.len()];
    for pass in 0..passes {
        let shift = pass * digit;
        let mut starts = vec![0u32; 1 << digit];
        pairs.iter().for_each(|p| starts[(p.0 >> shift & mask) as usize] += 1);
        let mut sum = 0;
        for start in &mut starts {
            sum += std::mem::replace(start, sum);
        }
        for pair in pairs.iter() {
            let start = &mut starts[(pair.0 >> shift & mask) as usize];
            other[*start as usize] = *pair;
            *start += 1;
        }
        std::mem::swap(pairs, &mut other);
    }
}
