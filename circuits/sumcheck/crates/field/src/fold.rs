// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of small integers folded by scalars: `sum over i of weights[i] * rows[i]`, reduced once a value and not once a product.

use crate::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};
use rayon::prelude::*;

/// Values folded together: their four 128-bit accumulators stay in the first-level cache.
const BLOCK: usize = 256;

/// Folds `weights.len()` rows of `row_len` values each. The last row may be short: what is missing counts as zero.
///
/// Panics unless there is a weight a row. For provers: what is folded here is never a stranger's.
pub fn fold_i64(rows: &[i64], row_len: usize, weights: &[Fr]) -> Vec<Fr> {
    let mut high = fold(rows, row_len, weights, 1 << 31, |value| ((value >> 32) as u32) ^ (1 << 31));
    let low = fold(rows, row_len, weights, 0, |value| value as u32);
    let shift = Fr::from(1u64 << 32);
    high.par_iter_mut().zip(low).for_each(|(high, low)| *high = *high * shift + low);
    high
}

/// `digit(value)` is value + offset, so that the accumulators need no sign; what the offsets add up to is taken off again.
/// Absent values must be zero: they get the digit of zero.
fn fold(rows: &[i64], row_len: usize, weights: &[Fr], offset: u64, digit: impl Fn(i64) -> u32 + Sync) -> Vec<Fr> {
    assert_eq!(rows.len().div_ceil(row_len.max(1)), weights.len(), "a weight a row");
    let excess = Fr::from(offset) * weights.iter().sum::<Fr>();
    let mut folded = vec![Fr::from(0u64); row_len];
    folded.par_chunks_mut(BLOCK).enumerate().for_each(|(block, out)| {
        let mut sums = [[0u128; 4]; BLOCK];
        for (row, weight) in rows.chunks(row_len).zip(weights) {
            let present = row.get(block * BLOCK..).unwrap_or(&[]);
            let values = present.iter().copied().chain(std::iter::repeat(0));
            for (sum, value) in sums.iter_mut().take(out.len()).zip(values) {
                accumulate(sum, digit(value), &weight.0.0);
            }
        }
        for (out, sum) in out.iter_mut().zip(&sums) {
            *out = reduce(sum) - excess;
        }
    });
    folded
}

/// Montgomery's form is linear, so its limbs add up like any integer's. Room for 2^32 products of 32 bits by 64.
#[inline(always)]
fn accumulate(sum: &mut [u128; 4], digit: u32, limbs: &[u64; 4]) {
    for (sum, limb) in sum.iter_mut().zip(limbs) {
        *sum += u128::from(digit) * u128::from(*limb);
    }
}

/// The scalar whose Montgomery form is the sum of `sum[i] * 2^(64 i)`, modulo p.
fn reduce(sum: &[u128; 4]) -> Fr {
    let (mut limbs, mut carry) = ([0u64; 4], 0u128);
    for (limb, sum) in limbs.iter_mut().zip(sum) {
        let total = sum + carry; // both below 2^127
        *limb = total as u64;
        carry = total >> 64;
    }
    let mut low = BigInt(limbs); // below 2^256 < 6p
    while low >= Fr::MODULUS {
        low.sub_with_borrow(&Fr::MODULUS);
    }
    Fr::new_unchecked(low) + Fr::from(carry) // carry * 2^256 is the form of carry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{from_bytes_reduced, from_i64};
    use proptest::prelude::*;

    fn naive(rows: &[i64], row_len: usize, weights: &[Fr]) -> Vec<Fr> {
        let mut sums = vec![from_i64(0); row_len];
        for (row, weight) in rows.chunks(row_len).zip(weights) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += from_i64(*value) * weight;
            }
        }
        sums
    }

    fn weights(count: usize) -> impl Strategy<Value = Vec<Fr>> {
        let scalar = prop_oneof![any::<[u8; 32]>().prop_map(|bytes| from_bytes_reduced(&bytes)), Just(from_i64(-1))];
        prop::collection::vec(scalar, count)
    }

    proptest! {
        #[test]
        fn fold_is_the_naive_sum(
            (len, values, weights) in (1usize..600, 1usize..5).prop_flat_map(|(len, count)| (
                Just(len),
                prop::collection::vec(prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(-1)], (count - 1) * len + 1..=count * len),
                weights(count),
            ))
        ) {
            prop_assert_eq!(fold_i64(&values, len, &weights), naive(&values, len, &weights));
        }
    }

    #[test]
    fn fold_of_the_largest_digits_does_not_overflow() {
        let weights = vec![from_i64(-1); 10_000];
        assert_eq!(fold_i64(&vec![i64::from(u32::MAX); 10_000], 1, &weights), [from_i64(-10_000 * i64::from(u32::MAX))]);
        assert_eq!(fold_i64(&vec![i64::MAX; 10_000], 1, &weights), [from_i64(i64::MAX) * from_i64(-10_000)]);
    }

    #[test]
    fn fold_of_no_rows_is_zero() {
        assert_eq!(fold_i64(&[], 3, &[]), [from_i64(0); 3]);
    }
}
