// SPDX-License-Identifier: MIT OR Apache-2.0
//! Adding many pairs of points at once: the library's field, or eight elements side by side. The second is tested against the first.

use ark_bn254::{Fq, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field};

/// Adds points to points, in a form of its own.
pub trait Adder: Sync {
    /// The form.
    type Point: Copy + Send + Sync;
    /// The i-th point of the reference string, or what is opposite to it.
    fn point(&self, i: usize, opposite: bool) -> Self::Point;
    /// Adds each pair's point to the sum at its place; places differ. `None` if two are equal or opposite and that is too much to ask.
    fn add(&self, sums: &mut [Self::Point], pairs: &[(u32, Self::Point)]) -> Option<()>;
    /// In the library's form.
    fn affine(&self, point: &Self::Point) -> G1Affine;
}

/// The plain way, which can add all points.
pub struct Plain<'a>(pub &'a [G1Affine]);

impl Adder for Plain<'_> {
    type Point = G1Affine;

    fn point(&self, i: usize, opposite: bool) -> G1Affine {
        if opposite { -self.0[i] } else { self.0[i] }
    }

    fn add(&self, sums: &mut [G1Affine], pairs: &[(u32, G1Affine)]) -> Option<()> {
        let denominator = |(place, point): &(u32, G1Affine)| {
            let sum = sums[*place as usize];
            if sum.is_zero() || point.is_zero() { Fq::ZERO } else { point.x - sum.x }
        };
        let mut inverses: Vec<Fq> = pairs.iter().map(denominator).collect();
        ark_ff::batch_inversion(&mut inverses);
        for ((place, point), inverse) in pairs.iter().zip(&inverses) {
            let sum = &mut sums[*place as usize];
            *sum = if *inverse == Fq::ZERO {
                (*sum + point).into_affine() // equal, opposite, infinity
            } else {
                let slope = (point.y - sum.y) * inverse;
                let x = slope.square() - sum.x - point.x;
                G1Affine::new_unchecked(x, slope * (sum.x - x) - sum.y)
            };
        }
        Some(())
    }

    fn affine(&self, point: &G1Affine) -> G1Affine {
        *point
    }
}

#[cfg(target_arch = "x86_64")]
pub use fast::Fast;

/// Other processors have no such way.
#[cfg(not(target_arch = "x86_64"))]
#[derive(Clone, Debug)]
pub enum Fast {}

#[cfg(not(target_arch = "x86_64"))]
impl Fast {
    /// `None`.
    pub fn new(_: &[G1Affine]) -> Option<Self> {
        None
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Adder for Fast {
    type Point = G1Affine;

    fn point(&self, _: usize, _: bool) -> G1Affine {
        match *self {}
    }

    fn add(&self, _: &mut [G1Affine], _: &[(u32, G1Affine)]) -> Option<()> {
        match *self {}
    }

    fn affine(&self, _: &G1Affine) -> G1Affine {
        match *self {}
    }
}

#[cfg(target_arch = "x86_64")]
mod fast {
    use super::*;
    use ark_bn254::FqConfig;
    use lanes::{Digits, Eight, Ifma, Inlined, Lanes};

    /// x and y.
    type Point = [Digits; 2];

    /// Eight pairs at a time.
    #[derive(Clone, Debug)]
    pub struct Fast {
        simd: Ifma,
        /// x, y, and the opposite of y.
        points: Vec<[Digits; 3]>,
    }

    impl Fast {
        /// `None` on a processor that cannot, or with infinity among the points.
        pub fn new(points: &[G1Affine]) -> Option<Self> {
            let simd = Ifma::try_new()?;
            let three = |point: &G1Affine| point.xy().map(|(x, y)| [x, y, -y].map(|each| lanes::digits(&each)));
            points.iter().map(three).collect::<Option<_>>().map(|points| Self { simd, points })
        }
    }

    impl Adder for Fast {
        type Point = Point;

        fn point(&self, i: usize, opposite: bool) -> Point {
            let [x, y, minus] = &self.points[i];
            [*x, if opposite { *minus } else { *y }]
        }

        fn add(&self, sums: &mut [Point], pairs: &[(u32, Point)]) -> Option<()> {
            self.simd.vectorize(Pairs { simd: self.simd, sums, pairs })
        }

        fn affine(&self, [x, y]: &Point) -> G1Affine {
            G1Affine::new_unchecked(lanes::element(x), lanes::element(y))
        }
    }

    struct Pairs<'a> {
        simd: Ifma,
        sums: &'a mut [Point],
        pairs: &'a [(u32, Point)],
    }

    impl Inlined for Pairs<'_> {
        type Output = Option<()>;

        #[inline(always)]
        fn call(self) -> Option<()> {
            add(Lanes::new::<FqConfig>(self.simd), self.sums, self.pairs)
        }
    }

    /// Denominators are multiplied up lane by lane, the eight products inverted, and the way back gives each its inverse.
    #[inline(always)]
    fn add(lanes: Lanes, sums: &mut [Point], pairs: &[(u32, Point)]) -> Option<()> {
        let (none, one) = ([0; 5], lanes::digits(&Fq::ONE));
        let (mut product, mut before) = (lanes.splat(&one), Vec::with_capacity(pairs.len().div_ceil(8)));
        for eight in pairs.chunks(8) {
            let x = lanes.load(each(eight, &none, |pair| &sums[pair.0 as usize][0]));
            let denominator = lanes.sub(lanes.load(each(eight, &one, |pair| &pair.1[0])), x);
            before.push((product, denominator));
            product = lanes.mul(product, denominator);
        }
        let mut inverses = lanes.store(product).map(|product| lanes::element::<FqConfig>(&product));
        ark_ff::batch_inversion(&mut inverses);
        if inverses.contains(&Fq::ZERO) {
            return None;
        }
        let inverses = inverses.map(|inverse| lanes::digits(&inverse));
        let mut inverse = lanes.load(inverses.each_ref());
        for (eight, (before, denominator)) in pairs.chunks(8).zip(before).rev() {
            let x = lanes.load(each(eight, &none, |pair| &sums[pair.0 as usize][0]));
            let y = lanes.load(each(eight, &none, |pair| &sums[pair.0 as usize][1]));
            let other_x = lanes.load(each(eight, &one, |pair| &pair.1[0]));
            let other_y = lanes.load(each(eight, &one, |pair| &pair.1[1]));
            let slope = lanes.mul(lanes.sub(other_y, y), lanes.mul(inverse, before));
            inverse = lanes.mul(inverse, denominator);
            let (new_x, new_y) = sum(lanes, (x, y), other_x, slope);
            let (new_x, new_y) = (lanes.store(new_x), lanes.store(new_y));
            for ((pair, x), y) in eight.iter().zip(new_x).zip(new_y) {
                sums[pair.0 as usize] = [x, y];
            }
        }
        Some(())
    }

    /// The third point of the line, mirrored. All bounds are 2 moduli.
    #[inline(always)]
    fn sum(lanes: Lanes, (x, y): (Eight, Eight), other_x: Eight, slope: Eight) -> (Eight, Eight) {
        let far = lanes.sub(lanes.sub(lanes.mul(slope, slope), x), other_x);
        let new_x = lanes.reduced::<1>(lanes.reduced::<2>(far));
        let new_y = lanes.sub(lanes.mul(slope, lanes.sub(x, new_x)), y);
        (new_x, lanes.reduced::<1>(new_y))
    }

    /// Eight digits each; a last few pairs are filled up by what has a denominator of one.
    #[inline(always)]
    fn each<'a>(eight: &'a [(u32, Point)], none: &'a Digits, of: impl Fn(&'a (u32, Point)) -> &'a Digits) -> [&'a Digits; 8] {
        std::array::from_fn(|i| eight.get(i).map_or(none, &of))
    }
}
