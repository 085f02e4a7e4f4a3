// SPDX-License-Identifier: MIT OR Apache-2.0
//! Points of BN254 as words: x, y, 32 bytes each, big endian, (0, 0) for infinity, as EIP-196 and EIP-197 have them.

#![deny(clippy::indexing_slicing)]

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, BigInteger, PrimeField};

/// The two words of a point of the first group.
pub fn g1_words(point: &G1Affine) -> [[u8; 32]; 2] {
    let (x, y) = point.xy().unwrap_or((Fq::ZERO, Fq::ZERO));
    [coordinate_bytes(&x), coordinate_bytes(&y)]
}

/// Reads what `g1_words` wrote: coordinates below q, on the curve. The group has prime order, so that is all there is to check.
pub fn g1_from_words(words: &[[u8; 32]]) -> Option<G1Affine> {
    let [x, y] = words else { return None };
    if x == &[0; 32] && y == &[0; 32] {
        return Some(G1Affine::identity());
    }
    let point = G1Affine::new_unchecked(coordinate(x)?, coordinate(y)?);
    point.is_on_curve().then_some(point)
}

/// The four words of a point of the second group: imaginary parts first.
pub fn g2_words(point: &G2Affine) -> [[u8; 32]; 4] {
    let (x, y) = point.xy().unwrap_or_default();
    [x.c1, x.c0, y.c1, y.c0].map(|part| coordinate_bytes(&part))
}

/// Reads what `g2_words` wrote: coordinates below q, on the curve, in the subgroup of prime order, not infinity.
pub fn g2_from_words(words: &[[u8; 32]; 4]) -> Option<G2Affine> {
    let [x1, x0, y1, y0] = words;
    let (x, y) = (Fq2::new(coordinate(x0)?, coordinate(x1)?), Fq2::new(coordinate(y0)?, coordinate(y1)?));
    let point = G2Affine::new_unchecked(x, y);
    (point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve()).then_some(point)
}

fn coordinate_bytes(x: &Fq) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().zip(x.into_bigint().to_bytes_be()) {
        *place = byte;
    }
    bytes
}

fn coordinate(bytes: &[u8; 32]) -> Option<Fq> {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_be_bytes(*chunk);
    }
    Fq::from_bigint(ark_ff::BigInt(limbs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_off_the_curve_or_outside_of_the_subgroup_is_none_of_the_second_group() {
        let generator = g2_words(&G2Affine::generator());
        assert_eq!(g2_from_words(&generator), Some(G2Affine::generator()));
        let mut off = generator;
        off[3][31] ^= 1;
        assert_eq!(g2_from_words(&off), None);
        let outside = (1u64..).find_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::from(x), true)).unwrap_or_default();
        assert!(outside.is_on_curve() && !outside.is_zero());
        assert_eq!(g2_from_words(&g2_words(&outside)), None);
    }
}
