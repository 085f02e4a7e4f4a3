// SPDX-License-Identifier: MIT OR Apache-2.0
//! What sumchecks do with tables. Slices of one call are equally long.

use crate::Field;
use crate::kernel::Kernel;
use ark_ff::{MontConfig, Zero};

#[cfg(target_arch = "x86_64")]
use crate::eight::{Eight, Lanes};
#[cfg(target_arch = "x86_64")]
use crate::kernel::{GATHERED, total};

/// Sixteen times an element: what one factor of a product in digits must be, so that the product is in the library's form.
#[cfg(target_arch = "x86_64")]
fn sixteen<T: MontConfig<4>>(x: &Field<T>) -> Field<T> {
    *x * Field::<T>::from(16u64)
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn splat<T: MontConfig<4>>(lanes: Lanes, x: &Field<T>) -> Eight {
    lanes.read(&[*x; 8])
}

// ---- bind -----------------------------------------------------------------------------------------------------------

/// low += r * (high - low).
pub fn bind<T: MontConfig<4>>(low: &mut [Field<T>], high: &[Field<T>], r: &Field<T>) {
    debug_assert_eq!(low.len(), high.len());
    Bind { low, high, r }.run();
}

struct Bind<'a, T: MontConfig<4>> {
    low: &'a mut [Field<T>],
    high: &'a [Field<T>],
    r: &'a Field<T>,
}

impl<T: MontConfig<4>> Kernel<T> for Bind<'_, T> {
    type Output = ();

    fn plain(self) {
        self.low.iter_mut().zip(self.high).for_each(|(low, high)| *low += *self.r * (*high - *low));
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn fast(self, lanes: Lanes) {
        let r = splat(lanes, &sixteen(self.r));
        let (low, low_rest) = self.low.as_chunks_mut::<8>();
        let (high, high_rest) = self.high.as_chunks::<8>();
        for (low, high) in low.iter_mut().zip(high) {
            let l = lanes.read(low);
            let sum = lanes.add(l, lanes.mul(r, lanes.sub::<1>(lanes.read(high), l)));
            lanes.write(lanes.reduced::<0>(lanes.reduced::<1>(sum)), low);
        }
        Bind { low: low_rest, high: high_rest, r: self.r }.plain();
    }
}

// ---- add_scaled -----------------------------------------------------------------------------------------------------

/// total += c * of.
pub fn add_scaled<T: MontConfig<4>>(total: &mut [Field<T>], c: &Field<T>, of: &[Field<T>]) {
    debug_assert_eq!(total.len(), of.len());
    AddScaled { total, c, of }.run();
}

struct AddScaled<'a, T: MontConfig<4>> {
    total: &'a mut [Field<T>],
    c: &'a Field<T>,
    of: &'a [Field<T>],
}

impl<T: MontConfig<4>> Kernel<T> for AddScaled<'_, T> {
    type Output = ();

    fn plain(self) {
        self.total.iter_mut().zip(self.of).for_each(|(total, value)| *total += *self.c * value);
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn fast(self, lanes: Lanes) {
        let c = splat(lanes, &sixteen(self.c));
        let (total, total_rest) = self.total.as_chunks_mut::<8>();
        let (of, of_rest) = self.of.as_chunks::<8>();
        for (total, of) in total.iter_mut().zip(of) {
            let sum = lanes.add(lanes.read(total), lanes.mul(c, lanes.read(of)));
            lanes.write(lanes.reduced::<0>(lanes.reduced::<1>(sum)), total);
        }
        AddScaled { total: total_rest, c: self.c, of: of_rest }.plain();
    }
}

// ---- combine --------------------------------------------------------------------------------------------------------

/// constant + sum of coefficients[j] * columns[j], entry by entry, of integers.
pub fn combine<T: MontConfig<4>>(to: &mut [Field<T>], columns: &[&[i64]], coefficients: &[Field<T>], constant: &Field<T>) {
    debug_assert!(columns.iter().all(|column| column.len() == to.len()));
    Combine { to, columns, coefficients, constant }.run();
}

struct Combine<'a, T: MontConfig<4>> {
    to: &'a mut [Field<T>],
    columns: &'a [&'a [i64]],
    coefficients: &'a [Field<T>],
    constant: &'a Field<T>,
}

impl<T: MontConfig<4>> Combine<'_, T> {
    fn from(&mut self, start: usize) {
        for (i, to) in self.to.iter_mut().enumerate().skip(start) {
            let terms = self.columns.iter().zip(self.coefficients).map(|(column, c)| *c * Field::<T>::from(column[i]));
            *to = terms.fold(*self.constant, |sum, term| sum + term);
        }
    }
}

impl<T: MontConfig<4>> Kernel<T> for Combine<'_, T> {
    type Output = ();

    fn plain(mut self) {
        self.from(0);
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn fast(mut self, lanes: Lanes) {
        // an integer is not in the library's form: 2^260 makes up for the division, and what was added is taken off the constant
        let scale = Field::<T>::from(1u128 << 65) * Field::<T>::from(1u128 << 65) * Field::<T>::from(1u128 << 65);
        let scale = scale * Field::<T>::from(1u128 << 65);
        let lift = Field::<T>::from(1u128 << 63);
        let constant = splat(lanes, &self.coefficients.iter().fold(*self.constant, |constant, c| constant - lift * c));
        let mut coefficients = Vec::with_capacity(self.coefficients.len());
        for c in self.coefficients {
            coefficients.push(splat(lanes, &(scale * c)));
        }
        let blocks = self.to.len() / 8;
        for (place, to) in self.to.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let mut sum = constant;
            for (column, c) in self.columns.iter().zip(&coefficients) {
                let values = lanes.lifted(&column.as_chunks::<8>().0[place]);
                sum = lanes.reduced::<1>(lanes.add(sum, lanes.mul(values, *c)));
            }
            lanes.write(lanes.reduced::<0>(sum), to);
        }
        self.from(8 * blocks);
    }
}

// ---- sums of products -----------------------------------------------------------------------------------------------

/// Sum of left * right.
pub fn dot<T: MontConfig<4>>(left: &[Field<T>], right: &[Field<T>]) -> Field<T> {
    debug_assert_eq!(left.len(), right.len());
    Dot { left, right }.run()
}

struct Dot<'a, T: MontConfig<4>> {
    left: &'a [Field<T>],
    right: &'a [Field<T>],
}

impl<T: MontConfig<4>> Kernel<T> for Dot<'_, T> {
    type Output = Field<T>;

    fn plain(self) -> Field<T> {
        self.left.iter().zip(self.right).map(|(l, r)| *l * r).sum()
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn fast(self, lanes: Lanes) -> Field<T> {
        let (left, left_rest) = self.left.as_chunks::<8>();
        let (right, right_rest) = self.right.as_chunks::<8>();
        let mut all = Dot { left: left_rest, right: right_rest }.plain();
        for (left, right) in left.chunks(GATHERED).zip(right.chunks(GATHERED)) {
            let mut sum = lanes.none();
            for (l, r) in left.iter().zip(right) {
                lanes.gather(&mut sum, lanes.mul(lanes.read(l), lanes.read(r)));
            }
            all += total::<T>(lanes, sum, 16);
        }
        all
    }
}

/// A table's halves: entries at 0 and at 1 of its highest variable.
pub type Halves<'a, T> = (&'a [Field<T>], &'a [Field<T>]);

/// Of the sum of left * right, as a polynomial in the highest variable, the coefficients of 1 and X^2.
pub fn round_of_two<T: MontConfig<4>>(left: Halves<T>, right: Halves<T>) -> [Field<T>; 2] {
    Two { left, right }.run()
}

struct Two<'a, T: MontConfig<4>> {
    left: Halves<'a, T>,
    right: Halves<'a, T>,
}

impl<T: MontConfig<4>> Kernel<T> for Two<'_, T> {
    type Output = [Field<T>; 2];

    fn plain(self) -> [Field<T>; 2] {
        let mut sums = [Field::<T>::zero(); 2];
        for ((l, high_l), (r, high_r)) in self.left.0.iter().zip(self.left.1).zip(self.right.0.iter().zip(self.right.1)) {
            sums[0] += *l * r;
            sums[1] += (*high_l - l) * (*high_r - r);
        }
        sums
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn fast(self, lanes: Lanes) -> [Field<T>; 2] {
        let ((l, l_rest), (high_l, high_l_rest)) = (self.left.0.as_chunks::<8>(), self.left.1.as_chunks::<8>());
        let ((r, r_rest), (high_r, high_r_rest)) = (self.right.0.as_chunks::<8>(), self.right.1.as_chunks::<8>());
        let mut all = Two { left: (l_rest, high_l_rest), right: (r_rest, high_r_rest) }.plain();
        for start in (0..l.len()).step_by(GATHERED) {
            let (mut constant, mut square) = (lanes.none(), lanes.none());
            for i in start..l.len().min(start + GATHERED) {
                let (l, high_l, r, high_r) =
                    (lanes.read(&l[i]), lanes.read(&high_l[i]), lanes.read(&r[i]), lanes.read(&high_r[i]));
                lanes.gather(&mut constant, lanes.mul(l, r));
                lanes.gather(&mut square, lanes.mul(lanes.sub::<1>(high_l, l), lanes.sub::<1>(high_r, r)));
            }
            all[0] += total::<T>(lanes, constant, 16);
            all[1] += total::<T>(lanes, square, 16);
        }
        all
    }
}

/// Of the sum of left * right * weight likewise the coefficients of 1, X^2 and X^3.
pub fn round_of_three<T: MontConfig<4>>(left: Halves<T>, right: Halves<T>, weight: Halves<T>) -> [Field<T>; 3] {
    Three { left, right, weight }.run()
}

struct Three<'a, T: MontConfig<4>> {
    left: Halves<'a, T>,
    right: Halves<'a, T>,
    weight: Halves<'a, T>,
}

impl<T: MontConfig<4>> Kernel<T> for Three<'_, T> {
    type Output = [Field<T>; 3];

    fn plain(self) -> [Field<T>; 3] {
        let mut sums = [Field::<T>::zero(); 3];
        let factors = self.left.0.iter().zip(self.left.1).zip(self.right.0.iter().zip(self.right.1));
        for (((l, high_l), (r, high_r)), (e, high_e)) in factors.zip(self.weight.0.iter().zip(self.weight.1)) {
            let (dl, dr, de) = (*high_l - l, *high_r - r, *high_e - e);
            let square = dl * dr;
            sums[0] += *l * r * e;
            sums[1] += square * e + (dl * r + dr * l) * de;
            sums[2] += square * de;
        }
        sums
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn fast(self, lanes: Lanes) -> [Field<T>; 3] {
        let ((l, l_rest), (high_l, high_l_rest)) = (self.left.0.as_chunks::<8>(), self.left.1.as_chunks::<8>());
        let ((r, r_rest), (high_r, high_r_rest)) = (self.right.0.as_chunks::<8>(), self.right.1.as_chunks::<8>());
        let ((e, e_rest), (high_e, high_e_rest)) = (self.weight.0.as_chunks::<8>(), self.weight.1.as_chunks::<8>());
        let rest = Three { left: (l_rest, high_l_rest), right: (r_rest, high_r_rest), weight: (e_rest, high_e_rest) };
        let mut all = rest.plain();
        for start in (0..l.len()).step_by(GATHERED / 2) {
            let mut sums = [lanes.none(); 3];
            for i in start..l.len().min(start + GATHERED / 2) {
                let (l, high_l, r, high_r) =
                    (lanes.read(&l[i]), lanes.read(&high_l[i]), lanes.read(&r[i]), lanes.read(&high_r[i]));
                let (e, high_e) = (lanes.read(&e[i]), lanes.read(&high_e[i]));
                let (dl, dr, de) = (lanes.sub::<1>(high_l, l), lanes.sub::<1>(high_r, r), lanes.sub::<1>(high_e, e));
                let square = lanes.mul(dl, dr);
                lanes.gather(&mut sums[0], lanes.mul(lanes.mul(l, r), e));
                lanes.gather(&mut sums[1], lanes.mul(square, e));
                lanes.gather(&mut sums[1], lanes.mul(lanes.add(lanes.mul(dl, r), lanes.mul(dr, l)), de));
                lanes.gather(&mut sums[2], lanes.mul(square, de));
            }
            for (all, sum) in all.iter_mut().zip(sums) {
                *all += total::<T>(lanes, sum, 256);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{Fr, FrConfig};
    use ark_ff::PrimeField;
    use proptest::prelude::*;

    fn scalars(count: usize) -> impl Strategy<Value = Vec<Fr>> {
        let end = prop_oneof![Just([0; 32]), Just([255; 32]), any::<[u8; 32]>(), any::<[u8; 32]>()];
        prop::collection::vec(end.prop_map(|bytes| Fr::from_le_bytes_mod_order(&bytes)), count)
    }

    fn tables() -> impl Strategy<Value = Vec<Vec<Fr>>> {
        (0usize..70).prop_flat_map(|len| prop::collection::vec(scalars(len), 6))
    }

    proptest! {
        #[test]
        fn both_ways_give_the_same(tables in tables(), r in scalars(1)) {
            let [a, b, c, d, e, f] = tables.try_into().expect("six");
            let both = |fast: bool| {
                let (mut bound, mut added) = (a.clone(), b.clone());
                let bind = Bind::<FrConfig> { low: &mut bound, high: &b, r: &r[0] };
                if fast { bind.run() } else { bind.plain() }
                let add = AddScaled::<FrConfig> { total: &mut added, c: &r[0], of: &c };
                if fast { add.run() } else { add.plain() }
                let dot = Dot::<FrConfig> { left: &a, right: &b };
                let dot = if fast { dot.run() } else { dot.plain() };
                let two = Two::<FrConfig> { left: (&a, &b), right: (&c, &d) };
                let two = if fast { two.run() } else { two.plain() };
                let three = Three::<FrConfig> { left: (&a, &b), right: (&c, &d), weight: (&e, &f) };
                let three = if fast { three.run() } else { three.plain() };
                (bound, added, dot, two, three)
            };
            prop_assert_eq!(both(true), both(false));
        }

        #[test]
        fn integers_combine_the_same_both_ways(
            (columns, c) in (0usize..40, 0usize..4).prop_flat_map(|(len, count)| (
                prop::collection::vec(prop::collection::vec(prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), -3i64..3], len), count),
                scalars(count + 1),
            )),
            len in 0usize..40,
        ) {
            let len = columns.first().map_or(len, Vec::len);
            let columns: Vec<&[i64]> = columns.iter().map(Vec::as_slice).collect();
            let both = |fast: bool| {
                let mut to = vec![Fr::zero(); len];
                let work = Combine::<FrConfig> { to: &mut to, columns: &columns, coefficients: &c[1..], constant: &c[0] };
                if fast { work.run() } else { work.plain() }
                to
            };
            prop_assert_eq!(both(true), both(false));
        }
    }

    /// More than a sum gathers before it is carried, of the greatest.
    #[test]
    fn long_sums_are_the_same_both_ways() {
        let table = vec![-Fr::from(1u64); 40_003];
        assert_eq!(dot(&table, &table), Fr::from(40_003u64));
        let halves = (table.as_slice(), &vec![Fr::zero(); table.len()][..]);
        assert_eq!(round_of_two(halves, halves), [Fr::from(40_003u64); 2]);
        assert_eq!(round_of_three(halves, halves, halves)[0], -Fr::from(40_003u64));
    }
}
