// SPDX-License-Identifier: MIT OR Apache-2.0
//! The arithmetic. Everything here must be inlined below `Ifma::vectorize`, or it runs without the processor's help and thirty times
//! slower: so loops over digits instead of closures, which the compiler may leave outside.

#![allow(clippy::needless_range_loop)]

use crate::{Digits, Field, MASK, split};
use ark_ff::{BigInt, Fp, MontConfig, PrimeField};
use std::arch::x86_64::__m512i;

pulp::simd_type!({
    /// Proof that the processor has what it takes.
    #[allow(missing_docs)]
    pub struct Ifma {
        pub avx512f: f!("avx512f"),
        pub avx512ifma: f!("avx512ifma"),
    }
});

/// Eight elements: their lowest digits, and so on.
#[derive(Clone, Copy, Debug)]
pub struct Eight(pub [__m512i; 5]);

/// A field's constants, eightfold.
#[derive(Clone, Copy, Debug)]
pub struct Lanes {
    simd: Ifma,
    modulus: [__m512i; 5],
    inverse: __m512i,
    mask: __m512i,
    zero: __m512i,
}

impl Lanes {
    /// Of a field.
    #[inline(always)]
    pub fn new<T: MontConfig<4>>(simd: Ifma) -> Self {
        let (all, digits) = (simd.avx512f, split(&Field::<T>::MODULUS.0));
        let zero = all._mm512_set1_epi64(0);
        let mut modulus = [zero; 5];
        for i in 0..5 {
            modulus[i] = all._mm512_set1_epi64(digits[i] as i64);
        }
        let (inverse, mask) = (all._mm512_set1_epi64((T::INV & MASK) as i64), all._mm512_set1_epi64(MASK as i64));
        Self { simd, modulus, inverse, mask, zero }
    }

    /// Eight of them.
    #[inline(always)]
    pub fn load(self, of: [&Digits; 8]) -> Eight {
        let [a, b, c, d, e, f, g, h] = of;
        let mut eight = [self.zero; 5];
        for i in 0..5 {
            eight[i] = self.simd.avx512f._mm512_set_epi64(
                h[i] as i64,
                g[i] as i64,
                f[i] as i64,
                e[i] as i64,
                d[i] as i64,
                c[i] as i64,
                b[i] as i64,
                a[i] as i64,
            );
        }
        Eight(eight)
    }

    /// The same eight times.
    #[inline(always)]
    pub fn splat(self, digits: &Digits) -> Eight {
        let mut eight = [self.zero; 5];
        for i in 0..5 {
            eight[i] = self.simd.avx512f._mm512_set1_epi64(digits[i] as i64);
        }
        Eight(eight)
    }

    /// As digits, lane by lane.
    #[inline(always)]
    pub fn store(self, eight: Eight) -> [Digits; 8] {
        let mut digits = [[0; 5]; 8];
        for i in 0..5 {
            let row: [u64; 8] = pulp::cast(eight.0[i]);
            for lane in 0..8 {
                digits[lane][i] = row[lane];
            }
        }
        digits
    }

    /// Eight neighbours in the library's form.
    #[inline(always)]
    pub fn read<T: MontConfig<4>>(self, of: &[Field<T>; 8]) -> Eight {
        let z = [self.pair(&of[0], &of[1]), self.pair(&of[2], &of[3]), self.pair(&of[4], &of[5]), self.pair(&of[6], &of[7])];
        let (t, u) = (self.interleaved(z[0], z[1]), self.interleaved(z[2], z[3]));
        let (a, b) = self.halves(t.0, u.0);
        let (c, d) = self.halves(t.1, u.1);
        self.cut([a, b, c, d])
    }

    /// Back, of what is below the modulus.
    #[inline(always)]
    pub fn write<T: MontConfig<4>>(self, eight: Eight, to: &mut [Field<T>; 8]) {
        let [a, b, c, d] = self.joined(eight);
        let (t, u) = (self.halves(a, b), self.halves(c, d));
        let rows = [self.interleaved(t.0, u.0), self.interleaved(t.1, u.1)];
        for half in 0..2 {
            for (i, row) in [rows[half].0, rows[half].1].into_iter().enumerate() {
                let limbs: [u64; 8] = pulp::cast(row);
                to[4 * half + 2 * i] = Fp::new_unchecked(BigInt([limbs[0], limbs[1], limbs[2], limbs[3]]));
                to[4 * half + 2 * i + 1] = Fp::new_unchecked(BigInt([limbs[4], limbs[5], limbs[6], limbs[7]]));
            }
        }
    }

    /// Eight integers, 2^63 added to each.
    #[inline(always)]
    pub fn lifted(self, of: &[i64; 8]) -> Eight {
        let raw = self.row(of);
        let lifted = self.simd.avx512f._mm512_xor_si512(raw, self.simd.avx512f._mm512_set1_epi64(i64::MIN));
        let low = self.simd.avx512f._mm512_and_si512(lifted, self.mask);
        Eight([low, self.simd.avx512f._mm512_srli_epi64::<52>(lifted), self.zero, self.zero, self.zero])
    }

    #[inline(always)]
    fn row(self, of: &[i64; 8]) -> __m512i {
        self.simd.avx512f._mm512_set_epi64(of[7], of[6], of[5], of[4], of[3], of[2], of[1], of[0])
    }

    #[inline(always)]
    fn pair<T: MontConfig<4>>(self, a: &Field<T>, b: &Field<T>) -> __m512i {
        let (a, b) = (a.0.0, b.0.0);
        self.simd.avx512f._mm512_set_epi64(
            b[3] as i64,
            b[2] as i64,
            b[1] as i64,
            b[0] as i64,
            a[3] as i64,
            a[2] as i64,
            a[1] as i64,
            a[0] as i64,
        )
    }

    /// Limbs 0 and 1 of two pairs of elements, then limbs 2 and 3; and the other way.
    #[inline(always)]
    fn interleaved(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        let (first, second) = (self.row(&[0, 4, 8, 12, 1, 5, 9, 13]), self.row(&[2, 6, 10, 14, 3, 7, 11, 15]));
        (self.simd.avx512f._mm512_permutex2var_epi64(a, first, b), self.simd.avx512f._mm512_permutex2var_epi64(a, second, b))
    }

    /// The lower halves of two rows, and the upper ones.
    #[inline(always)]
    fn halves(self, a: __m512i, b: __m512i) -> (__m512i, __m512i) {
        let (low, high) = (self.row(&[0, 1, 2, 3, 8, 9, 10, 11]), self.row(&[4, 5, 6, 7, 12, 13, 14, 15]));
        (self.simd.avx512f._mm512_permutex2var_epi64(a, low, b), self.simd.avx512f._mm512_permutex2var_epi64(a, high, b))
    }

    /// Four limbs of 64 bits to five digits of 52.
    #[inline(always)]
    fn cut(self, [a, b, c, d]: [__m512i; 4]) -> Eight {
        let simd = self.simd.avx512f;
        Eight([
            self.low(a),
            self.low(self.or(simd._mm512_srli_epi64::<52>(a), simd._mm512_slli_epi64::<12>(b))),
            self.low(self.or(simd._mm512_srli_epi64::<40>(b), simd._mm512_slli_epi64::<24>(c))),
            self.low(self.or(simd._mm512_srli_epi64::<28>(c), simd._mm512_slli_epi64::<36>(d))),
            simd._mm512_srli_epi64::<16>(d),
        ])
    }

    /// Five digits of 52 bits to four limbs of 64.
    #[inline(always)]
    fn joined(self, eight: Eight) -> [__m512i; 4] {
        let (simd, [a, b, c, d, e]) = (self.simd.avx512f, eight.0);
        [
            self.or(a, simd._mm512_slli_epi64::<52>(b)),
            self.or(simd._mm512_srli_epi64::<12>(b), simd._mm512_slli_epi64::<40>(c)),
            self.or(simd._mm512_srli_epi64::<24>(c), simd._mm512_slli_epi64::<28>(d)),
            self.or(simd._mm512_srli_epi64::<36>(d), simd._mm512_slli_epi64::<16>(e)),
        ]
    }

    /// Adds to a sum whose digits are carried only in the end: of at most 2^11 terms below twice the modulus.
    #[inline(always)]
    pub fn gather(self, sum: &mut Eight, term: Eight) {
        for i in 0..5 {
            sum.0[i] = self.plus(sum.0[i], term.0[i]);
        }
    }

    /// Zero.
    #[inline(always)]
    pub fn none(self) -> Eight {
        Eight([self.zero; 5])
    }

    /// A product, below twice the modulus if the bounds of both, in moduli, multiply to at most 80.
    #[inline(always)]
    pub fn mul(self, a: Eight, b: Eight) -> Eight {
        let (ifma, simd, mut t) = (self.simd.avx512ifma, self.simd.avx512f, [self.zero; 10]);
        for i in 0..5 {
            for j in 0..5 {
                t[i + j] = ifma._mm512_madd52lo_epu64(t[i + j], a.0[i], b.0[j]);
                t[i + j + 1] = ifma._mm512_madd52hi_epu64(t[i + j + 1], a.0[i], b.0[j]);
            }
        }
        for i in 0..5 {
            let m = ifma._mm512_madd52lo_epu64(self.zero, t[i], self.inverse);
            // with the lowest digit of m * modulus this one becomes a multiple of 2^52, the next there is
            let carry = simd._mm512_srli_epi64::<52>(self.plus(t[i], self.mask));
            t[i + 1] = self.plus(t[i + 1], carry);
            for j in 1..5 {
                t[i + j] = ifma._mm512_madd52lo_epu64(t[i + j], m, self.modulus[j]);
            }
            for j in 0..5 {
                t[i + j + 1] = ifma._mm512_madd52hi_epu64(t[i + j + 1], m, self.modulus[j]);
            }
        }
        self.carried([t[5], t[6], t[7], t[8], t[9]])
    }

    /// A sum: the bounds add up.
    #[inline(always)]
    pub fn add(self, a: Eight, b: Eight) -> Eight {
        let mut sum = a.0;
        for i in 0..5 {
            sum[i] = self.plus(sum[i], b.0[i]);
        }
        self.carried(sum)
    }

    /// a - b plus twice the modulus, for a b below that: a's bound grows by 2.
    #[inline(always)]
    pub fn sub(self, a: Eight, b: Eight) -> Eight {
        let mut difference = a.0;
        for i in 0..5 {
            let twice = self.simd.avx512f._mm512_slli_epi64::<1>(self.modulus[i]);
            difference[i] = self.minus(self.plus(difference[i], twice), b.0[i]);
        }
        self.carried(difference)
    }

    /// What is below 2^(k + 1) moduli, less 2^k of them if it has as many.
    #[inline(always)]
    pub fn reduced<const K: u32>(self, a: Eight) -> Eight {
        let mut less = a.0;
        for i in 0..5 {
            less[i] = self.minus(less[i], self.simd.avx512f._mm512_slli_epi64::<K>(self.modulus[i]));
        }
        let mut less = self.carried(less).0;
        let negative = self.simd.avx512f._mm512_cmplt_epi64_mask(less[4], self.zero);
        for i in 0..5 {
            less[i] = self.simd.avx512f._mm512_mask_blend_epi64(negative, less[i], a.0[i]);
        }
        Eight(less)
    }

    #[inline(always)]
    fn or(self, a: __m512i, b: __m512i) -> __m512i {
        self.simd.avx512f._mm512_or_si512(a, b)
    }

    #[inline(always)]
    fn low(self, a: __m512i) -> __m512i {
        self.simd.avx512f._mm512_and_si512(a, self.mask)
    }

    #[inline(always)]
    fn plus(self, a: __m512i, b: __m512i) -> __m512i {
        self.simd.avx512f._mm512_add_epi64(a, b)
    }

    #[inline(always)]
    fn minus(self, a: __m512i, b: __m512i) -> __m512i {
        self.simd.avx512f._mm512_sub_epi64(a, b)
    }

    /// Digits of 52 bits again, the highest apart, which keeps the sign.
    #[inline(always)]
    fn carried(self, mut digits: [__m512i; 5]) -> Eight {
        for i in 0..4 {
            let carry = self.simd.avx512f._mm512_srai_epi64::<52>(digits[i]);
            digits[i + 1] = self.plus(digits[i + 1], carry);
            digits[i] = self.simd.avx512f._mm512_and_si512(digits[i], self.mask);
        }
        Eight(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{digits, element};
    use ark_bn254::{Fq, FqConfig, Fr, FrConfig};
    use proptest::prelude::*;

    fn check<T: MontConfig<4>>(simd: Ifma, a: &[Field<T>], b: &[Field<T>]) {
        let (a_digits, b_digits): (Vec<Digits>, Vec<Digits>) = (a.iter().map(digits).collect(), b.iter().map(digits).collect());
        let results = simd.vectorize(
            #[inline(always)]
            || {
                let lanes = Lanes::new::<T>(simd);
                let load = |digits: &[Digits]| lanes.load(std::array::from_fn(|i| &digits[i]));
                let (x, y) = (load(&a_digits), load(&b_digits));
                let four = lanes.add(lanes.add(x, x), lanes.add(x, x));
                [lanes.mul(x, y), lanes.reduced::<1>(lanes.add(x, y)), lanes.reduced::<1>(lanes.sub(x, y)), lanes.mul(four, y)]
                    .map(|eight| lanes.store(eight))
            },
        );
        for i in 0..8 {
            let wanted = [a[i] * b[i], a[i] + b[i], a[i] - b[i], a[i] * b[i] * Field::<T>::from(4u64)];
            assert_eq!([0, 1, 2, 3].map(|op| element::<T>(&results[op][i])), wanted);
        }
    }

    proptest! {
        #[test]
        fn eight_at_a_time_are_as_one(bytes in prop::collection::vec(any::<[u8; 32]>(), 16)) {
            let Some(simd) = Ifma::try_new() else { return Ok(()) };
            let ends = [[0; 32], [255; 32]];
            for (place, end) in [(0, 0), (3, 1), (11, 0), (15, 1)] {
                let mut bytes = bytes.clone();
                bytes[place] = ends[end];
                let fq: Vec<Fq> = bytes.iter().map(|bytes| Fq::from_le_bytes_mod_order(bytes)).collect();
                let fr: Vec<Fr> = bytes.iter().map(|bytes| Fr::from_le_bytes_mod_order(bytes)).collect();
                check::<FqConfig>(simd, &fq[..8], &fq[8..]);
                check::<FrConfig>(simd, &fr[..8], &fr[8..]);
            }
        }
    }

    #[test]
    fn the_ends_of_a_field_are_themselves() {
        for value in [Fq::from(0u64), Fq::from(1u64), -Fq::from(1u64)] {
            assert_eq!(element::<FqConfig>(&digits(&value)), value);
        }
    }
}
