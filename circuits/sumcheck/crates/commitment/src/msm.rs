// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sums of points by scalars (Pippenger): scalars are cut into signed digits, as wide as makes the whole cheapest. Lengths are checked here
//! and not by the library.

use crate::Error;
use crate::adder::{Adder, Plain};
use crate::buckets::sum_of_digits;
use crate::fast::Fast;
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AdditiveGroup, CurveGroup, scalar_mul::variable_base::VariableBaseMSM};
use ark_ff::PrimeField;
use rayon::prelude::*;

/// Below so many points the library's way is quicker.
const FEW: usize = 1 << 9;
/// Points of one task if there are few digits, so that there are tasks enough.
const PIECE: usize = 1 << 16;
/// The same if there are many: buckets count for less, and the processor still finds the points' pages.
const LONG: usize = 1 << 17;
/// What a bucket costs at the end, in additions: it is in a row and in a column, and must be found.
const BUCKET: usize = 3;

/// Points to be summed, and the same for a quicker processor.
#[derive(Clone, Debug)]
pub struct Points {
    plain: Vec<G1Affine>,
    fast: Option<Fast>,
}

impl Points {
    /// Any points.
    pub fn new(plain: Vec<G1Affine>) -> Self {
        Self { fast: Fast::new(&plain), plain }
    }

    /// The sum of integers times points, at a cost that grows with their width.
    pub fn msm_integers(&self, values: &[i64]) -> Result<G1Affine, Error> {
        self.head(values.len())?;
        let most = values.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0);
        Ok(self.sum(values, 65 - most.leading_zeros(), |value| [*value as u64, (value >> 63) as u64]).into_affine())
    }

    /// The sum of scalars times points.
    pub fn msm_field(&self, values: &[Fr]) -> Result<G1Affine, Error> {
        let points = self.head(values.len())?;
        if values.len() < FEW {
            return Ok(G1Projective::msm_unchecked(points, values).into_affine());
        }
        let integers: Vec<[u64; 4]> = values.par_iter().map(|value| value.into_bigint().0).collect();
        Ok(self.sum(&integers, Fr::MODULUS_BIT_SIZE + 1, |limbs| *limbs).into_affine())
    }

    /// As many points as there are values.
    fn head(&self, values: usize) -> Result<&[G1Affine], Error> {
        if values == 0 {
            return Err(Error::Empty);
        }
        self.plain.get(..values).ok_or(Error::TooLong { values, points: self.plain.len() })
    }

    /// `limbs` gives an integer in two's complement of at least `bits` bits, the sign's included, lowest first.
    fn sum<T: Sync, const N: usize>(&self, values: &[T], bits: u32, limbs: impl Fn(&T) -> [u64; N] + Sync) -> G1Projective {
        let fast = self.fast.as_ref().and_then(|adder| sum_with(adder, values, bits, &limbs));
        fast.or_else(|| sum_with(&Plain(&self.plain), values, bits, &limbs)).unwrap_or_default()
    }
}

fn sum_with<A: Adder, T: Sync, const N: usize>(
    adder: &A,
    values: &[T],
    bits: u32,
    limbs: &(impl Fn(&T) -> [u64; N] + Sync),
) -> Option<G1Projective> {
    let width = width(values.len(), bits);
    let count = bits.div_ceil(width) as usize;
    let piece = piece(values.len(), count);
    let starts = (0..values.len()).step_by(piece);
    let tasks: Vec<(usize, usize)> = starts.flat_map(|start| (0..count).map(move |place| (place, start))).collect();
    let of_task = |(place, start): (usize, usize)| {
        let own = &values[start..values.len().min(start + piece)];
        let digits: Vec<i32> = own.iter().map(|value| digit(&limbs(value), place as u32 * width, width)).collect();
        Some((place, sum_of_digits(adder, &adder.points()[start..], &digits, width - 1)?))
    };
    let sums: Vec<(usize, G1Projective)> = tasks.into_par_iter().with_max_len(1).map(of_task).collect::<Option<_>>()?;
    Some((0..count).rev().fold(G1Projective::ZERO, |total, place| {
        let shifted = (0..width).fold(total, |total, _| total.double());
        sums.iter().filter(|(own, _)| *own == place).fold(shifted, |total, (_, sum)| total + sum)
    }))
}

/// Points of one task.
fn piece(points: usize, digits: usize) -> usize {
    if digits > 8 { points.min(LONG) } else { points.min(PIECE) }
}

/// The width at which additions and buckets cost least.
fn width(points: usize, bits: u32) -> u32 {
    let cost = |width: &u32| {
        let count = bits.div_ceil(*width) as usize;
        count * (points + points.div_ceil(piece(points, count)) * (BUCKET << (width - 1)))
    };
    (2..=16).min_by_key(cost).unwrap_or(2)
}

/// The signed digit at a bit: those of all places add up to the integer, each in [-2^(width-1), 2^(width-1)]. Its carry is the bit below it.
fn digit<const N: usize>(limbs: &[u64; N], start: u32, width: u32) -> i32 {
    let sign = if limbs[N - 1] >> 63 == 1 { u64::MAX } else { 0 };
    let limb = |place: u32| limbs.get(place as usize).copied().unwrap_or(sign);
    let (place, shift) = (start / 64, start % 64);
    let window = (u128::from(limb(place)) | u128::from(limb(place + 1)) << 64) >> shift;
    let low = (window & ((1 << width) - 1)) as i32;
    let carry = if start == 0 { 0 } else { (limb((start - 1) / 64) >> ((start - 1) % 64) & 1) as i32 };
    // the top bit counts negative here, and once more, positive, as the carry of the next place
    low - ((low >> (width - 1)) << width) + carry
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ec::{PrimeGroup, ScalarMul};
    use ark_ff::Field;
    use proptest::prelude::*;

    /// Both ways.
    fn msm_integers(points: &[G1Affine], values: &[i64]) -> Result<G1Affine, Error> {
        let points = Points::new(points.to_vec());
        let plain = Points { fast: None, ..points.clone() }.msm_integers(values);
        assert_eq!(points.msm_integers(values), plain);
        plain
    }

    fn msm_field(points: &[G1Affine], values: &[Fr]) -> Result<G1Affine, Error> {
        let points = Points::new(points.to_vec());
        let plain = Points { fast: None, ..points.clone() }.msm_field(values);
        assert_eq!(points.msm_field(values), plain);
        plain
    }

    fn points(count: usize) -> Vec<G1Affine> {
        let mut scalar = Fr::from(7u64);
        let scalars: Vec<Fr> = (0..count)
            .map(|_| {
                scalar = scalar.square() + Fr::from(3u64);
                scalar
            })
            .collect();
        G1Projective::generator().batch_mul(&scalars)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn integers_of_any_width_add_up(values in prop::collection::vec(any::<i64>(), 1..700), shift in 0u32..64) {
            let values: Vec<i64> = values.iter().map(|value| value >> shift).collect();
            let scalars: Vec<Fr> = values.iter().map(|value| Fr::from(*value)).collect();
            let points = points(values.len());
            prop_assert_eq!(msm_integers(&points, &values), Ok(G1Projective::msm_unchecked(&points, &scalars).into_affine()));
        }

        #[test]
        fn scalars_add_up(bytes in prop::collection::vec(any::<[u8; 32]>(), FEW..900)) {
            let scalars: Vec<Fr> = bytes.iter().map(|bytes| Fr::from_be_bytes_mod_order(bytes)).collect();
            let points = points(scalars.len());
            prop_assert_eq!(msm_field(&points, &scalars), Ok(G1Projective::msm_unchecked(&points, &scalars).into_affine()));
        }

        #[test]
        fn digits_of_every_width_make_up_the_integer(value: i64, width in 2u32..=16) {
            let limbs = [value as u64, (value >> 63) as u64];
            let total: i128 = (0..65u32.div_ceil(width)).map(|place| i128::from(digit(&limbs, place * width, width)) << (place * width)).sum();
            prop_assert_eq!(total, i128::from(value));
        }
    }

    #[test]
    fn the_ends_of_the_scalars_and_equal_and_opposite_points_add_up() {
        [false, true].into_iter().for_each(ends_add_up);
    }

    fn ends_add_up(infinity: bool) {
        let mut points = points(1 << 10);
        for i in 0..200 {
            points[i + 200] = points[i];
            points[i + 400] = -points[i];
        }
        if infinity {
            points[700] = G1Affine::identity();
        }
        let ends = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(1u64 << 32), -Fr::from(1u64 << 63)];
        let scalars: Vec<Fr> = (0..points.len()).map(|i| ends[i % 5]).collect();
        assert_eq!(msm_field(&points, &scalars), Ok(G1Projective::msm_unchecked(&points, &scalars).into_affine()));
        let ends = [0, 1, -1, i64::MIN, i64::MAX];
        let values: Vec<i64> = (0..points.len()).map(|i| ends[i % 5]).collect();
        let scalars: Vec<Fr> = values.iter().map(|value| Fr::from(*value)).collect();
        assert_eq!(msm_integers(&points, &values), Ok(G1Projective::msm_unchecked(&points, &scalars).into_affine()));
    }

    /// Beyond one piece.
    #[test]
    fn long_rows_of_every_width_add_up() {
        let points = points(40_001);
        for bits in [1, 8, 12, 16, 31, 47] {
            let values: Vec<i64> = (0..40_001u64)
                .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as i64 * (i as i64 % 3 - 1))
                .collect();
            let scalars: Vec<Fr> = values.iter().map(|value| Fr::from(*value)).collect();
            assert_eq!(msm_integers(&points, &values), Ok(G1Projective::msm_unchecked(&points, &scalars).into_affine()));
        }
    }

    #[test]
    fn no_values_and_too_many_are_errors() {
        assert_eq!(msm_integers(&points(2), &[]), Err(Error::Empty));
        assert_eq!(msm_field(&points(2), &[Fr::ONE; 3]), Err(Error::TooLong { values: 3, points: 2 }));
    }
}
