// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sums of points by scalars, each width with the method that suits it. Lengths are checked here and not by the library.

use crate::Error;
use crate::buckets::sum_of_bytes;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::{AdditiveGroup, CurveGroup, scalar_mul::variable_base::VariableBaseMSM};
use field::Fr;

/// The sum of bytes times points.
pub fn msm_u8(points: &[G1Affine], values: &[u8]) -> Result<G1Affine, Error> {
    Ok(sum_of_bytes(head(points, values.len())?, |i| values[i]).into_affine())
}

/// The same of 16-bit values: their upper bytes times 256, and their lower ones.
pub fn msm_u16(points: &[G1Affine], values: &[u16]) -> Result<G1Affine, Error> {
    let points = head(points, values.len())?;
    let mut sum = sum_of_bytes(points, |i| (values[i] >> 8) as u8);
    for _ in 0..8 {
        sum.double_in_place();
    }
    Ok((sum + sum_of_bytes(points, |i| values[i] as u8)).into_affine())
}

/// The same of scalars. The library sorts them by size first, so that small ones of either sign are cheap.
pub fn msm_field(points: &[G1Affine], values: &[Fr]) -> Result<G1Affine, Error> {
    Ok(G1Projective::msm_unchecked(head(points, values.len())?, values).into_affine())
}

/// As many points as there are values.
fn head(points: &[G1Affine], values: usize) -> Result<&[G1Affine], Error> {
    if values == 0 {
        return Err(Error::Empty);
    }
    points.get(..values).ok_or(Error::TooLong { values, points: points.len() })
}
