//! Whole numbers modulo the prime 2^61 − 1.

pub const PRIME: u64 = (1 << 61) - 1;

pub fn from(value: i64) -> u64 {
    value.rem_euclid(PRIME as i64) as u64
}

pub fn add(a: u64, b: u64) -> u64 {
    let sum = a + b;
    if sum >= PRIME { sum - PRIME } else { sum }
}

pub fn negate(a: u64) -> u64 {
    if a == 0 { 0 } else { PRIME - a }
}

pub fn multiply(a: u64, b: u64) -> u64 {
    if a == 1 {
        return b;
    }
    let product = u128::from(a) * u128::from(b);
    add((product & u128::from(PRIME)) as u64, (product >> 61) as u64)
}

/// The inverse, by Fermat. Needs `a` ≠ 0.
pub fn invert(a: u64) -> u64 {
    if a == 1 || a == PRIME - 1 {
        return a;
    }
    let (mut result, mut power, mut exponent) = (1, a, PRIME - 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, power);
        }
        power = multiply(power, power);
        exponent >>= 1;
    }
    result
}
