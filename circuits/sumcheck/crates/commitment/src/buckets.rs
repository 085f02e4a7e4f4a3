// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sums of signed digits times points: each point goes to the bucket of its digit, and buckets are summed in affine coordinates, many pairs
//! to one inversion.

use crate::adder::{Adder, Pair};
use ark_bn254::G1Projective;
use ark_ec::short_weierstrass::Bucket;

/// Pairs that share an inversion: few enough for the cache, many enough that it costs each next to nothing.
const BLOCK: usize = 1 << 11;

/// The sum of digits[i] * the point at start + i, digits at most 2^bits in magnitude. `None` if the adder met what it cannot add.
pub fn sum_of_digits<A: Adder>(adder: &A, start: usize, digits: &[i32], bits: u32) -> Option<G1Projective> {
    let (order, mut ends) = sort(digits, bits);
    let of_digit = |i: u32| {
        let signed = order[i as usize];
        adder.point(start + (signed as usize >> 1), signed & 1 == 1)
    };
    let (mut sums, mut longest) = halve(adder, of_digit, &mut ends)?;
    while longest > 1 {
        let (fewer, left) = halve_sums(adder, &sums, &mut ends)?;
        (sums, longest) = (fewer, left);
    }
    Some(weighed(adder, &sums, &ends))
}

/// sum of bucket * its number, highest first: each running sum counts once more.
fn weighed<A: Adder>(adder: &A, sums: &[A::Point], ends: &[u32]) -> G1Projective {
    let (mut running, mut total) = (Bucket::ZERO, Bucket::ZERO);
    for (place, end) in ends.iter().enumerate().rev() {
        let start = place.checked_sub(1).map_or(0, |before| ends[before]);
        if *end > start {
            running += &adder.affine(&sums[start as usize]);
        }
        total += &running;
    }
    total.into()
}

/// Places of points by the magnitude of their digits, twice each and one more if negative; and where each bucket ends. Zeros are left out.
fn sort(digits: &[i32], bits: u32) -> (Vec<u32>, Vec<u32>) {
    let mut next = vec![0u32; (1 << bits) + 1];
    digits.iter().for_each(|digit| next[digit.unsigned_abs() as usize] += 1);
    next[0] = 0;
    let mut total = 0;
    for place in &mut next {
        total += std::mem::replace(place, total);
    }
    let mut order = vec![0u32; total as usize];
    for (i, digit) in digits.iter().enumerate().filter(|(_, digit)| **digit != 0) {
        let place = &mut next[digit.unsigned_abs() as usize];
        order[*place as usize] = 2 * i as u32 + u32::from(*digit < 0);
        *place += 1;
    }
    next.remove(0);
    (order, next)
}

fn halve_sums<A: Adder>(adder: &A, sums: &[A::Point], ends: &mut [u32]) -> Option<(Vec<A::Point>, u32)> {
    halve(adder, |i| A::seen(&sums[i as usize]), ends)
}

/// One round: neighbours are added, half as many points a bucket. Returns them and the most that a bucket has left.
fn halve<'a, A: Adder>(adder: &'a A, point: impl Fn(u32) -> A::Seen<'a>, ends: &mut [u32]) -> Option<(Vec<A::Point>, u32)> {
    let total = ends.last().copied().unwrap_or(0) as usize;
    let (mut pairs, mut alone) = (Vec::with_capacity(total / 2), Vec::with_capacity(ends.len().min(total)));
    let (mut count, mut longest, mut start) = (0, 0, 0);
    for end in ends.iter_mut() {
        let own = *end - start;
        pairs.extend((0..own / 2).map(|i| Pair { first: start + 2 * i, sum: count + i }));
        if own % 2 == 1 {
            alone.push(Pair { first: *end - 1, sum: count + own / 2 });
        }
        longest = longest.max(own.div_ceil(2));
        count += own.div_ceil(2);
        start = std::mem::replace(end, count);
    }
    let mut sums = vec![A::Point::default(); count as usize];
    for pairs in pairs.chunks(BLOCK) {
        adder.add(&mut sums, pairs, &point)?;
    }
    alone.iter().for_each(|Pair { first, sum }| sums[*sum as usize] = A::copied(point(*first)));
    Some((sums, longest))
}
