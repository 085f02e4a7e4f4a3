// SPDX-License-Identifier: MIT OR Apache-2.0
//! Adding many pairs of points at once: the library's field here, eight elements side by side in `fast`. That is tested against this.

use ark_bn254::{Fq, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field};

/// Two neighbours, and where their sum belongs.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Of the first; the second is behind it.
    pub first: u32,
    /// See above.
    pub sum: u32,
}

/// Adds points to points, in a form of its own.
pub trait Adder: Sync {
    /// The form.
    type Point: Copy + Default + Send + Sync;
    /// The reference string.
    fn points(&self) -> &[Self::Point];
    /// A point, or what is opposite to it.
    fn signed(point: &Self::Point, opposite: bool) -> Self::Point;
    /// Writes each pair's sum; `points` are those from `start` on. `None` if two are equal or opposite and that is too much to ask.
    fn add(&self, sums: &mut [Self::Point], pairs: &[Pair], points: &[Self::Point], start: u32) -> Option<()>;
    /// In the library's form.
    fn affine(&self, point: &Self::Point) -> G1Affine;
}

/// The plain way, which can add all points.
pub struct Plain<'a>(pub &'a [G1Affine]);

impl Adder for Plain<'_> {
    type Point = G1Affine;

    fn points(&self) -> &[G1Affine] {
        self.0
    }

    fn signed(point: &G1Affine, opposite: bool) -> G1Affine {
        if opposite { -*point } else { *point }
    }

    fn add(&self, sums: &mut [G1Affine], pairs: &[Pair], points: &[G1Affine], start: u32) -> Option<()> {
        let point = |i: u32| points[(i - start) as usize];
        let denominator = |pair: &Pair| {
            let (first, second) = (point(pair.first), point(pair.first + 1));
            if first.is_zero() || second.is_zero() { Fq::ZERO } else { second.x - first.x }
        };
        let mut inverses: Vec<Fq> = pairs.iter().map(denominator).collect();
        ark_ff::batch_inversion(&mut inverses);
        for (pair, inverse) in pairs.iter().zip(&inverses) {
            let (first, second) = (point(pair.first), point(pair.first + 1));
            sums[pair.sum as usize] = if *inverse == Fq::ZERO {
                (first + second).into_affine() // equal, opposite, infinity
            } else {
                let slope = (second.y - first.y) * inverse;
                let x = slope.square() - first.x - second.x;
                G1Affine::new_unchecked(x, slope * (first.x - x) - first.y)
            };
        }
        Some(())
    }

    fn affine(&self, point: &G1Affine) -> G1Affine {
        *point
    }
}
