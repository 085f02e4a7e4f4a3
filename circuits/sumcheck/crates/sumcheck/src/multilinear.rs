// SPDX-License-Identifier: MIT OR Apache-2.0
//! Multilinear polynomials by their values on {0,1}^n. Coordinate 0 of a point belongs to the highest bit of an index.
//!
//! Beside tables, the few index functions that a verifier evaluates in O(n): equality, prefixes, ramps.

#![deny(clippy::indexing_slicing)]

use field::Fr;
use rayon::prelude::*;

/// Values below which a thread is not worth its start.
pub const PARALLEL: usize = 1 << 12;

fn one() -> Fr {
    Fr::from(1u64)
}

fn zero() -> Fr {
    Fr::from(0u64)
}

/// eq(point, i) for every i: 2^n values.
pub fn eq_table(point: &[Fr]) -> Vec<Fr> {
    let mut table = vec![one()];
    for coordinate in point {
        table = table
            .iter()
            .flat_map(|value| {
                let high = *value * coordinate;
                [*value - high, high]
            })
            .collect();
    }
    table
}

/// eq(a, b) of two points.
pub fn eq(a: &[Fr], b: &[Fr]) -> Fr {
    a.iter().zip(b).map(|(x, y)| agree(x, y)).product()
}

/// xy + (1-x)(1-y).
fn agree(x: &Fr, y: &Fr) -> Fr {
    let both = *x * y;
    one() - x - y + both + both
}

/// eq(point, i) of one index, read in as many bits as the point has coordinates.
pub fn eq_index(point: &[Fr], index: usize) -> Fr {
    point
        .iter()
        .rev()
        .enumerate()
        .map(|(bit, x)| if index.checked_shr(bit as u32).unwrap_or(0) & 1 == 1 { *x } else { one() - x })
        .product()
}

/// Sum of eq(a, i) eq(b, i) over i < size.
pub fn eq_prefix(a: &[Fr], b: &[Fr], size: usize) -> Fr {
    let (mut below, mut all) = (zero(), one());
    for (bit, (x, y)) in a.iter().zip(b).rev().enumerate() {
        let both = *x * y;
        let neither = one() - x - y + both;
        below = if size >> bit & 1 == 1 { neither * all + both * below } else { neither * below };
        all *= neither + both;
    }
    if size >> a.len().min(b.len()) > 0 { all } else { below }
}

/// The extension of [i < size] at a point: the sum of eq(point, i) over i < size.
pub fn prefix(point: &[Fr], size: usize) -> Fr {
    let mut below = zero();
    for (bit, x) in point.iter().rev().enumerate() {
        below = if size >> bit & 1 == 1 { one() - x + *x * below } else { (one() - x) * below };
    }
    if size >> point.len() > 0 { one() } else { below }
}

/// The extension of min(i, bound) at a point.
pub fn ramp(point: &[Fr], bound: u64) -> Fr {
    let (mut bounded, mut index) = (zero(), zero());
    for (bit, x) in point.iter().rev().enumerate() {
        let place = 1u64 << bit;
        bounded = if bound & place != 0 {
            (one() - x) * index + *x * (Fr::from(place) + bounded)
        } else {
            (one() - x) * bounded + *x * Fr::from(bound & (place - 1))
        };
        index += *x * Fr::from(place);
    }
    if bound >> point.len() > 0 { index } else { bounded }
}

/// The extension of any table at a point; what lies beyond its end is zero.
pub fn evaluate(values: &[Fr], point: &[Fr]) -> Fr {
    let mut values = values.to_vec();
    for (done, coordinate) in point.iter().enumerate() {
        bind(&mut values, 1 << (point.len() - done - 1), coordinate);
    }
    values.first().copied().unwrap_or_else(zero)
}

/// Fixes the highest variable of 2^n values to `r`; `half` = 2^(n-1). Of a table that ends early, the rest is zero.
pub fn bind(values: &mut Vec<Fr>, half: usize, r: &Fr) {
    let middle = half.min(values.len());
    let (low, high) = values.split_at_mut(middle);
    let (paired, alone) = low.split_at_mut(high.len().min(low.len()));
    let rest = Fr::from(1u64) - r;
    paired.par_chunks_mut(PARALLEL).zip(high.par_chunks(PARALLEL)).for_each(|(low, high)| lanes::bind(low, high, r));
    alone.par_chunks_mut(PARALLEL).for_each(|low| low.iter_mut().for_each(|value| *value *= rest));
    values.truncate(half);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(seed: u64, n: usize) -> Vec<Fr> {
        (0..n as u64).map(|i| Fr::from(seed * seed) + Fr::from(seed * 31 + i * i + 7)).collect()
    }

    proptest! {
        #[test]
        fn closed_forms_equal_their_tables(seed in 0u64..1000, n in 0usize..6, size in 0usize..70, index in 0usize..64) {
            let (a, b) = (point(seed, n), point(seed + 5, n));
            let (ta, tb) = (eq_table(&a), eq_table(&b));
            prop_assert_eq!(eq(&a, &b), evaluate(&ta, &b));
            prop_assert_eq!(eq_index(&a, index % (1 << n)), ta[index % (1 << n)]);
            prop_assert_eq!(eq_prefix(&a, &b, size), ta.iter().zip(&tb).take(size).map(|(x, y)| *x * y).sum());
            prop_assert_eq!(prefix(&a, size), ta.iter().take(size).sum());
            prop_assert_eq!(ramp(&a, size as u64), ta.iter().enumerate().map(|(i, x)| *x * Fr::from(i.min(size) as u64)).sum());
        }

        #[test]
        fn a_short_table_is_padded_by_zeros(seed in 0u64..1000, n in 1usize..6, len in 0usize..32) {
            let at = point(seed, n);
            let short = point(seed + 3, len.min(1 << n));
            let mut long = short.clone();
            long.resize(1 << n, Fr::from(0u64));
            prop_assert_eq!(evaluate(&short, &at), evaluate(&long, &at));
        }
    }
}
