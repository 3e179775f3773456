//! Parquet's encodings, written straight from sorted codes: there is no need to look for distinct values again.
//! See the Parquet format's "Encodings": dictionary with bit-packed indices, DELTA_BINARY_PACKED, DELTA_BYTE_ARRAY, PLAIN.

use super::{NULL, NULL_BYTE};

/// Appends an unsigned LEB128 number.
fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn zigzag(n: i64) -> u64 {
    (n << 1 ^ n >> 63) as u64
}

/// Number of bits that `n` needs.
pub fn bits(n: u32) -> u32 {
    32 - n.leading_zeros()
}

/// Appends values with `width` bits each, the first in the lowest bits; fills the last byte with zeros.
pub fn pack(out: &mut Vec<u8>, values: impl Iterator<Item = u32>, width: u32) {
    let (mut word, mut used) = (0u64, 0u32);
    for value in values {
        word |= u64::from(value) << used;
        used += width;
        if used >= 32 {
            out.extend_from_slice(&(word as u32).to_le_bytes());
            word >>= 32;
            used -= 32;
        }
    }
    out.extend_from_slice(&word.to_le_bytes()[..used.div_ceil(8) as usize]);
}

/// Appends what `number` gives for each byte, with `width` bits each, at most 8; fills the last byte with zeros.
pub fn pack_bytes(out: &mut Vec<u8>, bytes: &[u8], width: u32, number: impl Fn(u8) -> u8) {
    for eight in bytes.chunks(8) {
        let word = eight.iter().rev().fold(0u64, |word, &b| word << width | u64::from(number(b)));
        out.extend_from_slice(&word.to_le_bytes()[..(eight.len() * width as usize).div_ceil(8)]);
    }
}

/// Appends the head of a bit-packed run of the hybrid; the values must follow, filled up to what is returned.
pub fn packed_run(out: &mut Vec<u8>, count: usize, width: u32) -> usize {
    let groups = count.div_ceil(8);
    varint(out, (groups as u64) << 1 | 1);
    out.len() + groups * width as usize
}

/// Appends a run of equal values of the hybrid.
pub fn equal_run(out: &mut Vec<u8>, count: usize, value: u32, width: u32) {
    varint(out, (count as u64) << 1);
    out.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
}

/// Appends values in the run-length and bit-packing hybrid: one run of equal values, or all bit-packed (zstd does the rest).
pub fn hybrid(out: &mut Vec<u8>, values: impl Iterator<Item = u32> + Clone, count: usize, width: u32) {
    let first = values.clone().next().unwrap_or(0);
    if width == 0 || values.clone().all(|v| v == first) {
        return equal_run(out, count, first, width);
    }
    let end = packed_run(out, count, width);
    pack(out, values, width);
    out.resize(end, 0);
}

/// Appends the definition levels of a data page (version 1): 0 where a code is null.
pub fn levels(out: &mut Vec<u8>, codes: &[u32]) {
    framed(out, |out| hybrid(out, codes.iter().map(|c| u32::from(*c != NULL)), codes.len(), 1));
}

/// The same for codes and booleans of a byte each, of which `nulls` are null.
pub fn byte_levels(out: &mut Vec<u8>, bytes: &[u8], nulls: usize) {
    framed(out, |out| {
        if nulls == 0 || nulls == bytes.len() {
            return equal_run(out, bytes.len(), u32::from(nulls == 0), 1);
        }
        packed_run(out, bytes.len(), 1);
        pack_bytes(out, bytes, 1, |b| u8::from(b != NULL_BYTE));
    });
}

/// Appends what `write` appends, with its size before it.
fn framed(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let size = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&size.to_le_bytes());
}

/// Appends whole numbers as DELTA_BINARY_PACKED: blocks of 128 differences in four parts of their own width.
pub fn delta(out: &mut Vec<u8>, values: &[i32]) {
    const BLOCK: usize = 128;
    const PART: usize = 32;
    varint(out, BLOCK as u64);
    varint(out, (BLOCK / PART) as u64);
    varint(out, values.len() as u64);
    let Some(&first) = values.first() else { return varint(out, 0) };
    varint(out, zigzag(i64::from(first)));
    let mut last = first;
    let mut differences = [0i32; BLOCK];
    for block in values[1..].chunks(BLOCK) {
        for (difference, &value) in differences.iter_mut().zip(block) {
            *difference = value.wrapping_sub(last);
            last = value;
        }
        let differences = &differences[..block.len()];
        let least = differences.iter().copied().min().unwrap_or(0);
        varint(out, zigzag(i64::from(least)));
        let above = |d: &i32| d.wrapping_sub(least) as u32;
        let at = out.len();
        out.extend_from_slice(&[0; BLOCK / PART]);
        for (i, part) in differences.chunks(PART).enumerate() {
            let width = bits(part.iter().map(above).fold(0, |a, b| a | b));
            out[at + i] = width as u8;
            let end = out.len() + width as usize * PART / 8;
            pack(out, part.iter().map(above), width);
            out.resize(end, 0);
        }
    }
}

/// How many bytes two texts begin with in common.
fn common_start(a: &[u8], b: &[u8]) -> usize {
    match (a.first_chunk::<8>(), b.first_chunk::<8>()) {
        (Some(first), Some(other)) if first == other => 8 + a[8..].iter().zip(&b[8..]).take_while(|(a, b)| a == b).count(),
        (Some(first), Some(other)) => ((u64::from_le_bytes(*first) ^ u64::from_le_bytes(*other)).trailing_zeros() / 8) as usize,
        _ => a.iter().zip(b).take_while(|(a, b)| a == b).count(),
    }
}

/// Appends texts as DELTA_BYTE_ARRAY: how much of the text before is repeated, then what follows.
pub fn delta_texts<'a>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'a [u8]>) {
    let (mut shared, mut lengths, mut rest): (Vec<i32>, Vec<i32>, Vec<u8>) = Default::default();
    let mut last: &[u8] = b"";
    for text in texts {
        let common = if std::ptr::eq(text, last) { text.len() } else { common_start(text, last) };
        shared.push(common as i32);
        lengths.push((text.len() - common) as i32);
        rest.extend_from_slice(&text[common..]);
        last = text;
    }
    delta(out, &shared);
    delta(out, &lengths);
    out.extend_from_slice(&rest);
}

/// Appends texts as PLAIN: length and bytes.
pub fn plain_texts<'a>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'a [u8]>) {
    for text in texts {
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        out.extend_from_slice(text);
    }
}
