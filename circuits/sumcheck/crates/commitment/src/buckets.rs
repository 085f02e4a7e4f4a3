// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sums of signed digits times points: each point goes to the bucket of its digit, and buckets are summed in affine coordinates, many pairs
//! to one inversion. Buckets are then points themselves, and their numbers digits of two halves.

use crate::adder::{Adder, Pair};
use ark_bn254::G1Projective;
use ark_ec::{AdditiveGroup, short_weierstrass::Bucket};

/// Pairs that share an inversion: few enough for the cache, many enough that it costs each next to nothing.
const BLOCK: usize = 1 << 12;
/// Buckets are weighed one by one if their numbers have no more bits.
const FEW_BITS: u32 = 7;

/// The sum of digits[i] * points[i], digits at most 2^bits in magnitude. `None` if the adder met what it cannot add.
pub fn sum_of_digits<A: Adder>(adder: &A, points: &[A::Point], digits: &[i32], bits: u32) -> Option<G1Projective> {
    let (order, numbers, ends) = sort(digits, bits);
    let sums = sums(adder, points, &order, ends)?;
    if bits <= FEW_BITS {
        return Some(weighed(adder, &sums, &numbers));
    }
    let half = bits / 2;
    let digits = |of: fn(i32, u32) -> i32| numbers.iter().map(|number| of(*number, half)).collect::<Vec<_>>();
    let low = sum_of_digits(adder, &sums, &digits(|number, half| number & ((1 << half) - 1)), half)?;
    let high = sum_of_digits(adder, &sums, &digits(|number, half| number >> half), bits - half)?;
    Some((0..half).fold(high, |high, _| high.double()) + low)
}

/// sum of bucket * its number, highest first: each running sum counts once more.
fn weighed<A: Adder>(adder: &A, sums: &[A::Point], numbers: &[i32]) -> G1Projective {
    let (mut running, mut total) = (Bucket::ZERO, Bucket::ZERO);
    for (i, sum) in sums.iter().enumerate().rev() {
        running += &adder.affine(sum);
        let below = i.checked_sub(1).map_or(0, |below| numbers[below]);
        (below..numbers[i]).for_each(|_| total += &running);
    }
    total.into()
}

/// Places of points by the magnitude of their digits, twice each and one more if negative; of each bucket that is not empty its number, and
/// where it ends. Zeros are left out.
fn sort(digits: &[i32], bits: u32) -> (Vec<u32>, Vec<i32>, Vec<u32>) {
    let mut next = vec![0u32; (1 << bits) + 1];
    digits.iter().for_each(|digit| next[digit.unsigned_abs() as usize] += 1);
    next[0] = 0;
    let (mut total, mut numbers, mut ends) = (0, Vec::new(), Vec::new());
    for (number, place) in next.iter_mut().enumerate().filter(|(_, count)| **count > 0) {
        total += std::mem::replace(place, total);
        numbers.push(number as i32);
        ends.push(total);
    }
    let mut order = vec![0u32; total as usize];
    for (i, digit) in digits.iter().enumerate().filter(|(_, digit)| **digit != 0) {
        let place = &mut next[digit.unsigned_abs() as usize];
        order[*place as usize] = 2 * i as u32 + u32::from(*digit < 0);
        *place += 1;
    }
    (order, numbers, ends)
}

/// Each bucket's sum. Points of the first round are from all over the memory, and so brought together before anything waits for them.
fn sums<A: Adder>(adder: &A, points: &[A::Point], order: &[u32], mut ends: Vec<u32>) -> Option<Vec<A::Point>> {
    let (mut round, mut near) = (Round::new(&mut ends), Vec::new());
    let mut sums = vec![A::Point::default(); round.count as usize];
    let chosen = |place: &u32| A::signed(&points[(place >> 1) as usize], place & 1 == 1);
    for pairs in round.pairs.chunks(BLOCK) {
        let (start, end) = (pairs[0].first, pairs[pairs.len() - 1].first + 2);
        near.clear();
        near.extend(order[start as usize..end as usize].iter().map(chosen));
        adder.add(&mut sums, pairs, &near, start)?;
    }
    round.alone.iter().for_each(|Pair { first, sum }| sums[*sum as usize] = chosen(&order[*first as usize]));
    let mut next = Vec::with_capacity(sums.len());
    while round.longest > 1 {
        round.again(&mut ends);
        next.resize(round.count as usize, A::Point::default());
        for pairs in round.pairs.chunks(BLOCK) {
            adder.add(&mut next, pairs, &sums, 0)?;
        }
        round.alone.iter().for_each(|Pair { first, sum }| next[*sum as usize] = sums[*first as usize]);
        std::mem::swap(&mut sums, &mut next);
    }
    sums.truncate(round.count as usize);
    Some(sums)
}

/// Neighbours are added, half as many points a bucket.
#[derive(Default)]
struct Round {
    pairs: Vec<Pair>,
    /// Points that have no neighbour, and where they go.
    alone: Vec<Pair>,
    /// Points that are left.
    count: u32,
    /// The most that a bucket has left.
    longest: u32,
}

impl Round {
    fn new(ends: &mut [u32]) -> Self {
        let mut round = Self::default();
        round.again(ends);
        round
    }

    fn again(&mut self, ends: &mut [u32]) {
        self.pairs.clear();
        self.alone.clear();
        (self.count, self.longest) = (0, 0);
        let mut start = 0;
        for end in ends {
            let (own, count) = (*end - start, self.count);
            self.pairs.extend((0..own / 2).map(|i| Pair { first: start + 2 * i, sum: count + i }));
            if own % 2 == 1 {
                self.alone.push(Pair { first: *end - 1, sum: count + own / 2 });
            }
            self.longest = self.longest.max(own.div_ceil(2));
            self.count += own.div_ceil(2);
            start = std::mem::replace(end, self.count);
        }
    }
}
