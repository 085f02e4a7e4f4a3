// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lookup argument's round: how far a helper is from the sum of eight fractions, along a line.

use crate::Field;
use crate::kernel::Kernel;
use ark_ff::{MontConfig, Zero};

#[cfg(target_arch = "x86_64")]
use crate::eight::{Eight, Lanes};
#[cfg(target_arch = "x86_64")]
use crate::kernel::{GATHERED, total};

/// Fractions that share a helper.
pub const GROUP: usize = 8;
/// Values at 0, 1, .. 9 make up a polynomial of degree 9.
pub const DEFECTS: usize = GROUP + 2;

/// A table's halves: entries at 0 and at 1 of its highest variable.
type Halves<'a, T> = (&'a [Field<T>], &'a [Field<T>]);

/// For X = 0, 1, .. 9 the sum over x of `weights[x] * (h * product of d_b - sum over b of n_b * product of the others)`, each of them
/// a line through its halves at x. No numerators: all are 1.
pub fn defects<T: MontConfig<4>>(
    weights: &[Field<T>],
    helper: Halves<T>,
    denominators: &[Halves<T>; GROUP],
    numerators: Option<&[Halves<T>; GROUP]>,
) -> [Field<T>; DEFECTS] {
    Fractions { weights, helper, denominators, numerators }.run()
}

struct Fractions<'a, T: MontConfig<4>> {
    weights: &'a [Field<T>],
    helper: Halves<'a, T>,
    denominators: &'a [Halves<'a, T>; GROUP],
    numerators: Option<&'a [Halves<'a, T>; GROUP]>,
}

impl<T: MontConfig<4>> Fractions<'_, T> {
    fn from(&self, start: usize) -> [Field<T>; DEFECTS] {
        let (zero, one) = (Field::<T>::zero(), Field::<T>::from(1u64));
        let mut sums = [zero; DEFECTS];
        for (x, weight) in self.weights.iter().enumerate().skip(start) {
            let line = |of: &Halves<T>| (of.0[x], of.1[x] - of.0[x]);
            let (mut h, mut d) = (line(&self.helper), self.denominators.each_ref().map(line));
            let mut n = self.numerators.map_or([(one, zero); GROUP], |n| n.each_ref().map(line));
            for sum in &mut sums {
                let fraction =
                    d.iter().zip(&n).fold((zero, one), |(n, d), (own_d, own_n)| (n * own_d.0 + own_n.0 * d, d * own_d.0));
                *sum += *weight * (h.0 * fraction.1 - fraction.0);
                for line in d.iter_mut().chain(&mut n).chain([&mut h]) {
                    line.0 += line.1;
                }
            }
        }
        sums
    }
}

impl<T: MontConfig<4>> Kernel<T> for Fractions<'_, T> {
    type Output = [Field<T>; DEFECTS];

    fn plain(self) -> [Field<T>; DEFECTS] {
        self.from(0)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn fast(self, lanes: Lanes) -> [Field<T>; DEFECTS] {
        let blocks = self.weights.len() / 8;
        let mut all = self.from(8 * blocks);
        // times this, what is read is in digits, and products of digits stay in digits
        let in_digits = lanes.read(&[Field::<T>::from(256u64); 8]);
        for start in (0..blocks).step_by(GATHERED) {
            let mut sums = [lanes.none(); DEFECTS];
            for x in start..blocks.min(start + GATHERED) {
                let weight = lanes.read(&self.weights.as_chunks::<8>().0[x]);
                let mut h = line(lanes, &self.helper, x, in_digits);
                let (mut d, mut n) = ([h; GROUP], [h; GROUP]);
                for b in 0..GROUP {
                    d[b] = line(lanes, &self.denominators[b], x, in_digits);
                    if let Some(numerators) = self.numerators {
                        n[b] = line(lanes, &numerators[b], x, in_digits);
                    }
                }
                for sum in &mut sums {
                    lanes.gather(sum, lanes.mul(weight, defect(lanes, h.0, &d, &n, self.numerators.is_none())));
                    h.0 = step(lanes, h);
                    for b in 0..GROUP {
                        d[b].0 = step(lanes, d[b]);
                        if self.numerators.is_some() {
                            n[b].0 = step(lanes, n[b]);
                        }
                    }
                }
            }
            for (all, sum) in all.iter_mut().zip(sums) {
                *all += total::<T>(lanes, sum, 1);
            }
        }
        all
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn line<T: MontConfig<4>>(lanes: Lanes, of: &Halves<T>, x: usize, in_digits: Eight) -> (Eight, Eight) {
    let low = lanes.read(&of.0.as_chunks::<8>().0[x]);
    let slope = lanes.sub::<1>(lanes.read(&of.1.as_chunks::<8>().0[x]), low);
    (lanes.mul(low, in_digits), lanes.mul(slope, in_digits))
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn step(lanes: Lanes, (value, slope): (Eight, Eight)) -> Eight {
    lanes.reduced::<1>(lanes.add(value, slope))
}

/// h * product of d - sum of n * the others, below 4 moduli.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn defect(lanes: Lanes, h: Eight, d: &[(Eight, Eight); GROUP], n: &[(Eight, Eight); GROUP], plain: bool) -> Eight {
    let mut halves = [(h, h); 4];
    for i in 0..4 {
        let (a, b) = (d[2 * i].0, d[2 * i + 1].0);
        let numerator = if plain { lanes.add(a, b) } else { lanes.add(lanes.mul(n[2 * i].0, b), lanes.mul(n[2 * i + 1].0, a)) };
        halves[i] = (numerator, lanes.mul(a, b));
    }
    let (left, right) = (join(lanes, halves[0], halves[1]), join(lanes, halves[2], halves[3]));
    let (numerator, denominator) = join(lanes, left, right);
    lanes.sub::<1>(lanes.mul(h, denominator), lanes.reduced::<1>(numerator))
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn join(lanes: Lanes, a: (Eight, Eight), b: (Eight, Eight)) -> (Eight, Eight) {
    (lanes.add(lanes.mul(a.0, b.1), lanes.mul(b.0, a.1)), lanes.mul(a.1, b.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{Fr, FrConfig};
    use ark_ff::PrimeField;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn both_ways_give_the_same(
            tables in (0usize..20).prop_flat_map(|len| prop::collection::vec(prop::collection::vec(any::<[u8; 32]>(), len), 35)),
            plain: bool,
        ) {
            let tables: Vec<Vec<Fr>> = tables.iter().map(|t| t.iter().map(|bytes| Fr::from_le_bytes_mod_order(bytes)).collect()).collect();
            let pair = |i: usize| (tables[i].as_slice(), tables[i + 1].as_slice());
            let (denominators, numerators) = (std::array::from_fn(|b| pair(3 + 2 * b)), std::array::from_fn(|b| pair(19 + 2 * b)));
            let work = || Fractions::<FrConfig> {
                weights: &tables[0],
                helper: pair(1),
                denominators: &denominators,
                numerators: (!plain).then_some(&numerators),
            };
            prop_assert_eq!(work().run(), work().plain());
        }
    }
}
