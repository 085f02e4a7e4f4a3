// SPDX-License-Identifier: MIT OR Apache-2.0
//! Adding many pairs of points at once: the library's field, or eight elements side by side. The second is tested against the first.

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
    /// A point where it stands.
    type Seen<'a>: Copy;
    /// The i-th point of the reference string, or what is opposite to it.
    fn point(&self, i: usize, opposite: bool) -> Self::Seen<'_>;
    /// A sum.
    fn seen(point: &Self::Point) -> Self::Seen<'_>;
    /// What is seen.
    fn copied(seen: Self::Seen<'_>) -> Self::Point;
    /// Writes each pair's sum. `None` if two are equal or opposite and that is too much to ask.
    fn add<'a, F: Fn(u32) -> Self::Seen<'a>>(&self, sums: &mut [Self::Point], pairs: &[Pair], point: &F) -> Option<()>;
    /// In the library's form.
    fn affine(&self, point: &Self::Point) -> G1Affine;
}

/// The plain way, which can add all points.
pub struct Plain<'a>(pub &'a [G1Affine]);

impl Adder for Plain<'_> {
    type Point = G1Affine;
    type Seen<'a> = G1Affine;

    fn seen(point: &G1Affine) -> G1Affine {
        *point
    }

    fn copied(seen: G1Affine) -> G1Affine {
        seen
    }

    fn point(&self, i: usize, opposite: bool) -> G1Affine {
        if opposite { -self.0[i] } else { self.0[i] }
    }

    fn add<'a, F: Fn(u32) -> Self::Seen<'a>>(&self, sums: &mut [G1Affine], pairs: &[Pair], point: &F) -> Option<()> {
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
    type Seen<'a> = G1Affine;

    fn seen(point: &G1Affine) -> G1Affine {
        *point
    }

    fn copied(seen: G1Affine) -> G1Affine {
        seen
    }

    fn point(&self, _: usize, _: bool) -> G1Affine {
        match *self {}
    }

    fn add<'a, F: Fn(u32) -> Self::Seen<'a>>(&self, _: &mut [G1Affine], _: &[Pair], _: &F) -> Option<()> {
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
    type Seen<'a> = [&'a Digits; 2];

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
        type Seen<'a> = Seen<'a>;

        fn point(&self, i: usize, opposite: bool) -> Seen<'_> {
            let [x, y, minus] = &self.points[i];
            [x, if opposite { minus } else { y }]
        }

        fn seen([x, y]: &Point) -> Seen<'_> {
            [x, y]
        }

        fn copied(seen: Seen) -> Point {
            seen.map(|digits| *digits)
        }

        fn add<'a, F: Fn(u32) -> Seen<'a>>(&self, sums: &mut [Point], pairs: &[Pair], point: &F) -> Option<()> {
            self.simd.vectorize(Pairs { simd: self.simd, sums, pairs, point })
        }

        fn affine(&self, [x, y]: &Point) -> G1Affine {
            G1Affine::new_unchecked(lanes::element(x), lanes::element(y))
        }
    }

    struct Pairs<'w, F> {
        simd: Ifma,
        sums: &'w mut [Point],
        pairs: &'w [Pair],
        point: &'w F,
    }

    impl<'a, F: Fn(u32) -> Seen<'a>> Inlined for Pairs<'_, F> {
        type Output = Option<()>;

        #[inline(always)]
        fn call(self) -> Option<()> {
            add(Lanes::new::<FqConfig>(self.simd), self.sums, self.pairs, self.point)
        }
    }

    /// Denominators are multiplied up lane by lane, the eight products inverted, and the way back gives each its inverse.
    #[inline(always)]
    fn add<'a>(lanes: Lanes, sums: &mut [Point], pairs: &[Pair], point: &impl Fn(u32) -> Seen<'a>) -> Option<()> {
        let mut product = lanes.splat(&lanes::digits(&Fq::ONE));
        let mut before = Vec::with_capacity(pairs.len().div_ceil(8));
        for eight in pairs.chunks(8) {
            let (first, second) = points(eight, point);
            let denominator = lanes.sub(coordinate(lanes, &second, 0), coordinate(lanes, &first, 0));
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
            let (first, second) = points(eight, point);
            let (x, y) = (coordinate(lanes, &first, 0), coordinate(lanes, &first, 1));
            let (other_x, other_y) = (coordinate(lanes, &second, 0), coordinate(lanes, &second, 1));
            let slope = lanes.mul(lanes.sub(other_y, y), lanes.mul(inverse, before));
            inverse = lanes.mul(inverse, denominator);
            let (new_x, new_y) = sum(lanes, (x, y), other_x, slope);
            let (new_x, new_y) = (lanes.store(new_x), lanes.store(new_y));
            for ((pair, x), y) in eight.iter().zip(new_x).zip(new_y) {
                sums[pair.sum as usize] = [x, y];
            }
        }
        Some(())
    }

    /// Eight pairs; a last few are filled up by the last of them.
    #[inline(always)]
    fn points<'a>(eight: &[Pair], point: &impl Fn(u32) -> Seen<'a>) -> ([Seen<'a>; 8], [Seen<'a>; 8]) {
        let last = eight.len() - 1;
        let (mut first, mut second) = ([point(eight[0].first); 8], [point(eight[0].first + 1); 8]);
        for lane in 1..8 {
            let pair = eight[lane.min(last)];
            (first[lane], second[lane]) = (point(pair.first), point(pair.first + 1));
        }
        (first, second)
    }

    #[inline(always)]
    fn coordinate(lanes: Lanes, points: &[Seen; 8], which: usize) -> Eight {
        let [a, b, c, d, e, f, g, h] = points;
        lanes.load([a[which], b[which], c[which], d[which], e[which], f[which], g[which], h[which]])
    }

    /// The third point of the line, mirrored. All bounds are 2 moduli.
    #[inline(always)]
    fn sum(lanes: Lanes, (x, y): (Eight, Eight), other_x: Eight, slope: Eight) -> (Eight, Eight) {
        let far = lanes.sub(lanes.sub(lanes.mul(slope, slope), x), other_x);
        let new_x = lanes.reduced::<1>(lanes.reduced::<2>(far));
        let new_y = lanes.sub(lanes.mul(slope, lanes.sub(x, new_x)), y);
        (new_x, lanes.reduced::<1>(new_y))
    }
}
