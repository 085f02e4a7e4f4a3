// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sums of bytes times points: each point goes to the bucket of its byte, and buckets are summed in affine coordinates, many pairs to
//! one inversion: 6 multiplications an addition, against 11 with a projective bucket.

use ark_bn254::{Fq, G1Affine, G1Projective};
use ark_ec::{AdditiveGroup, AffineRepr, CurveGroup};
use ark_ff::Field;
use rayon::prelude::*;

const BUCKETS: usize = 256;
/// Points of one piece: few enough for the second-level cache, many enough that 255 sums at its end do not count.
const PIECE: usize = 1 << 15;

/// The sum of values[i] * points[i], of as many as there are of both.
pub fn sum_of_bytes(points: &[G1Affine], values: impl Fn(usize) -> u8 + Sync) -> G1Projective {
    let piece = |(place, points): (usize, &[G1Affine])| bucket_sums(points, |i| values(place * PIECE + i));
    let add = |mut sums: Vec<G1Projective>, more: Vec<G1Affine>| {
        sums.iter_mut().zip(more).for_each(|(sum, own)| *sum += own);
        sums
    };
    let nothing = || vec![G1Projective::ZERO; BUCKETS];
    let merge = |mut sums: Vec<G1Projective>, more: Vec<G1Projective>| {
        sums.iter_mut().zip(more).for_each(|(sum, own)| *sum += own);
        sums
    };
    let sums = points.par_chunks(PIECE).enumerate().map(piece).fold(nothing, add).reduce(nothing, merge);
    let (mut running, mut total) = (G1Projective::ZERO, G1Projective::ZERO);
    for sum in sums.iter().skip(1).rev() {
        running += sum;
        total += running;
    }
    total
}

/// Each bucket's sum: pairs of neighbours are added, round after round, until a bucket holds one point.
fn bucket_sums(points: &[G1Affine], value: impl Fn(usize) -> u8) -> Vec<G1Affine> {
    let (mut sorted, mut ends) = sort(points, value);
    while ends.iter().scan(0, |start, end| Some(end - std::mem::replace(start, *end))).any(|size| size > 1) {
        (sorted, ends) = halve(&sorted, &ends);
    }
    let mut starts = vec![0];
    starts.extend(&ends);
    let only = |(start, end): (&usize, &usize)| sorted.get(*start..*end).and_then(<[G1Affine]>::first).copied();
    starts.iter().zip(&ends).map(|bucket| only(bucket).unwrap_or(G1Affine::identity())).collect()
}

/// Points by value, and where each value's end; those of value 0 are left out.
fn sort(points: &[G1Affine], value: impl Fn(usize) -> u8) -> (Vec<G1Affine>, Vec<usize>) {
    let mut counts = vec![0; BUCKETS];
    (0..points.len()).map(&value).filter(|v| *v > 0).for_each(|v| counts[usize::from(v)] += 1);
    let mut total = 0;
    let mut next = Vec::with_capacity(BUCKETS);
    for count in counts {
        next.push(total);
        total += count;
    }
    let mut sorted = vec![G1Affine::identity(); total];
    for (i, point) in points.iter().enumerate() {
        let v = usize::from(value(i));
        if v > 0 {
            sorted[next[v]] = *point;
            next[v] += 1;
        }
    }
    (sorted, next)
}

/// One round: half as many points a bucket.
fn halve(points: &[G1Affine], ends: &[usize]) -> (Vec<G1Affine>, Vec<usize>) {
    let mut inverses: Vec<Fq> = Vec::with_capacity(points.len() / 2);
    for bucket in buckets(points, ends) {
        inverses.extend(bucket.as_chunks::<2>().0.iter().map(|[a, b]| denominator(a, b)));
    }
    ark_ff::batch_inversion(&mut inverses);
    let (mut fewer, mut new_ends, mut inverses) =
        (Vec::with_capacity(points.len()), Vec::with_capacity(ends.len()), inverses.into_iter());
    for bucket in buckets(points, ends) {
        let (pairs, alone) = bucket.as_chunks::<2>();
        fewer.extend(pairs.iter().zip(&mut inverses).map(|([a, b], inverse)| sum(a, b, &inverse)));
        fewer.extend(alone);
        new_ends.push(fewer.len());
    }
    (fewer, new_ends)
}

fn buckets<'a>(points: &'a [G1Affine], ends: &'a [usize]) -> impl Iterator<Item = &'a [G1Affine]> {
    ends.iter().scan(0, |start, end| points.get(std::mem::replace(start, *end)..*end))
}

/// Of the slope of the line through both; zero where there is none of that form.
fn denominator(a: &G1Affine, b: &G1Affine) -> Fq {
    if a.is_zero() || b.is_zero() { Fq::ZERO } else { b.x - a.x }
}

/// a + b. Equal or opposite points, and infinity, have no inverse (0) and go the long way.
fn sum(a: &G1Affine, b: &G1Affine, inverse: &Fq) -> G1Affine {
    if *inverse == Fq::ZERO {
        return (*a + b).into_affine();
    }
    let slope = (b.y - a.y) * inverse;
    let x = slope.square() - a.x - b.x;
    G1Affine::new_unchecked(x, slope * (a.x - x) - a.y)
}
