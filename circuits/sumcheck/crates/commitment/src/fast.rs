// SPDX-License-Identifier: MIT OR Apache-2.0
//! Adding many pairs of points at once, eight side by side, a few such groups in turn: a processor works on one while another waits.

#![allow(clippy::needless_range_loop)] // closures may stay outside

use crate::adder::{Adder, Pair};
use ark_bn254::{Fq, FqConfig, G1Affine};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, Field, Zero};
use lanes::{Eight, Ifma, Inlined, Lanes, Limbs};

/// Eights in turn.
const TURNS: usize = 4;

/// x and y, below twice the modulus or next to it, in one line of the cache. The highest bit of y says that the opposite is meant.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub struct Point([Limbs; 2]);

/// Eight pairs at a time.
#[derive(Clone, Debug)]
pub struct Fast {
    simd: Ifma,
    points: Vec<Point>,
}

impl Fast {
    /// `None` on a processor that cannot, or with infinity among the points.
    pub fn new(points: &[G1Affine]) -> Option<Self> {
        let simd = Ifma::try_new()?;
        let point = |of: &G1Affine| of.xy().map(|(x, y)| Point([lanes::limbs(&x), lanes::limbs(&y)]));
        points.iter().map(point).collect::<Option<_>>().map(|points| Self { simd, points })
    }
}

impl Adder for Fast {
    type Point = Point;

    fn points(&self) -> &[Point] {
        &self.points
    }

    fn signed(Point([x, [a, b, c, d]]): &Point, opposite: bool) -> Point {
        Point([*x, [*a, *b, *c, d ^ u64::from(opposite) << 63]])
    }

    fn add(&self, sums: &mut [Point], pairs: &[Pair], points: &[Point], start: u32) -> Option<()> {
        self.simd.vectorize(Pairs { simd: self.simd, sums, pairs, points, start })
    }

    fn affine(&self, Point([x, y]): &Point) -> G1Affine {
        let (opposite, [a, b, c, d]) = (y[3] >> 63 == 1, *y);
        let (x, y) = (lanes::element(x), lanes::element(&[a, b, c, d & (u64::MAX >> 1)]));
        G1Affine::new_unchecked(x, if opposite { -y } else { y })
    }
}

struct Pairs<'a> {
    simd: Ifma,
    sums: &'a mut [Point],
    pairs: &'a [Pair],
    points: &'a [Point],
    start: u32,
}

impl Inlined for Pairs<'_> {
    type Output = Option<()>;

    #[inline(always)]
    fn call(self) -> Option<()> {
        let lanes = Lanes::new::<FqConfig>(self.simd);
        let (kept, products) = self.denominators(lanes);
        let inverses = inverted(lanes, products)?;
        self.sums(lanes, kept, inverses);
        Some(())
    }
}

/// Eight denominators each, and the product of those before them.
struct Kept {
    denominators: Vec<Eight>,
    before: Vec<Eight>,
}

impl Pairs<'_> {
    /// Denominators are multiplied up lane by lane.
    #[inline(always)]
    fn denominators(&self, lanes: Lanes) -> (Kept, [Eight; TURNS]) {
        let mut products = [lanes.splat(&lanes::limbs(&Fq::ONE)); TURNS];
        let count = TURNS * self.pairs.len().div_ceil(8 * TURNS);
        let mut kept = Kept { denominators: Vec::with_capacity(count), before: Vec::with_capacity(count) };
        for pairs in self.pairs.chunks(8 * TURNS) {
            for turn in 0..TURNS {
                let own = lanes.sub::<2>(self.eight(lanes, pairs, turn, 1, 0), self.eight(lanes, pairs, turn, 0, 0));
                kept.denominators.push(own);
                kept.before.push(products[turn]);
                products[turn] = lanes.mul(products[turn], own);
            }
        }
        (kept, products)
    }

    /// The way back gives each its inverse.
    #[inline(always)]
    fn sums(self, lanes: Lanes, Kept { denominators, before }: Kept, mut inverses: [Eight; TURNS]) {
        for (group, pairs) in self.pairs.chunks(8 * TURNS).enumerate().rev() {
            let (mut slopes, mut xs, mut ys, mut new_xs) = (inverses, inverses, inverses, inverses);
            for turn in 0..TURNS {
                slopes[turn] = lanes.mul(inverses[turn], before[TURNS * group + turn]);
            }
            for turn in 0..TURNS {
                inverses[turn] = lanes.mul(inverses[turn], denominators[TURNS * group + turn]);
            }
            for turn in 0..TURNS {
                (xs[turn], ys[turn]) =
                    (self.eight(lanes, pairs, turn, 0, 0), lanes.unsigned(self.eight(lanes, pairs, turn, 0, 1)));
                let rise = lanes.sub::<2>(lanes.unsigned(self.eight(lanes, pairs, turn, 1, 1)), ys[turn]);
                slopes[turn] = lanes.mul(rise, slopes[turn]);
            }
            for turn in 0..TURNS {
                new_xs[turn] = lanes.mul(slopes[turn], slopes[turn]);
            }
            for turn in 0..TURNS {
                // the denominator is the second's x less the first's, and 4 moduli
                let far =
                    lanes.less(lanes.less(lanes.less(new_xs[turn], xs[turn]), xs[turn]), denominators[TURNS * group + turn]);
                new_xs[turn] = lanes.folded(lanes.moduli::<3>(lanes.moduli::<0>(far)));
                slopes[turn] = lanes.mul(slopes[turn], lanes.sub::<2>(xs[turn], new_xs[turn]));
            }
            for turn in 0..TURNS {
                let y = lanes.folded(lanes.less(lanes.moduli::<1>(lanes.moduli::<0>(slopes[turn])), ys[turn]));
                let (x, y) = (lanes.store(new_xs[turn]), lanes.store(y));
                for lane in 0..8.min(pairs.len().saturating_sub(8 * turn)) {
                    self.sums[pairs[8 * turn + lane].sum as usize] = Point([x[lane], y[lane]]);
                }
            }
        }
    }

    /// x or y of the first or second of each of eight pairs; a last few are filled up by the last of them.
    #[inline(always)]
    fn eight(&self, lanes: Lanes, pairs: &[Pair], turn: usize, which: u32, coordinate: usize) -> Eight {
        let mut limbs = [&self.points[0].0[0]; 8];
        for lane in 0..8 {
            let pair = pairs[(8 * turn + lane).min(pairs.len() - 1)];
            limbs[lane] = &self.points[(pair.first - self.start + which) as usize].0[coordinate];
        }
        lanes.load(limbs)
    }
}

/// Inverses of all lanes. `None` if one is zero.
#[inline(always)]
fn inverted(lanes: Lanes, of: [Eight; TURNS]) -> Option<[Eight; TURNS]> {
    let mut before = of;
    for turn in 1..TURNS {
        before[turn] = lanes.mul(before[turn - 1], of[turn]);
    }
    let mut elements = [Fq::ZERO; 8];
    for (element, limbs) in elements.iter_mut().zip(lanes.store(before[TURNS - 1])) {
        *element = lanes::element::<FqConfig>(&limbs);
    }
    ark_ff::batch_inversion(&mut elements);
    let mut limbs = [[0; 4]; 8];
    for (limbs, element) in limbs.iter_mut().zip(&elements) {
        *limbs = lanes::limbs(element);
    }
    let mut inverse = lanes.load(limbs.each_ref());
    for turn in (1..TURNS).rev() {
        before[turn] = lanes.mul(inverse, before[turn - 1]);
        inverse = lanes.mul(inverse, of[turn]);
    }
    before[0] = inverse;
    elements.iter().all(|element| !element.is_zero()).then_some(before)
}
