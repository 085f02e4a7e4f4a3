// SPDX-License-Identifier: MIT OR Apache-2.0
//! The arithmetic. Everything here must be inlined below `Ifma::vectorize`, or it runs without the processor's help and thirty times
//! slower: so loops over digits instead of closures, which the compiler may leave outside.

#![allow(clippy::needless_range_loop)]

use crate::Field;
use ark_ff::{MontConfig, PrimeField};
use std::arch::x86_64::__m512i;

const MASK: u64 = (1 << 52) - 1;

/// To digits of 52 bits.
const fn split(limbs: &[u64; 4]) -> [u64; 5] {
    let [a, b, c, d] = *limbs;
    [a & MASK, (a >> 52 | b << 12) & MASK, (b >> 40 | c << 24) & MASK, (c >> 28 | d << 36) & MASK, d >> 16]
}

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
    pub(crate) simd: Ifma,
    modulus: [__m512i; 5],
    inverse: __m512i,
    pub(crate) mask: __m512i,
    pub(crate) zero: __m512i,
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
        self.carried(Eight([t[5], t[6], t[7], t[8], t[9]]))
    }

    /// A sum: the bounds add up.
    #[inline(always)]
    pub fn add(self, a: Eight, b: Eight) -> Eight {
        let mut sum = a.0;
        for i in 0..5 {
            sum[i] = self.plus(sum[i], b.0[i]);
        }
        self.carried(Eight(sum))
    }

    /// a - b plus 2^k moduli, for a b of at most that: a's bound grows by 2^k.
    #[inline(always)]
    pub fn sub<const K: u32>(self, a: Eight, b: Eight) -> Eight {
        self.carried(self.less(self.moduli::<K>(a), b))
    }

    /// What is below 2^(k + 1) moduli, less 2^k of them if it has as many.
    #[inline(always)]
    pub fn reduced<const K: u32>(self, a: Eight) -> Eight {
        let mut less = a.0;
        for i in 0..5 {
            less[i] = self.minus(less[i], self.simd.avx512f._mm512_slli_epi64::<K>(self.modulus[i]));
        }
        let mut less = self.carried(Eight(less)).0;
        let negative = self.simd.avx512f._mm512_cmplt_epi64_mask(less[4], self.zero);
        for i in 0..5 {
            less[i] = self.simd.avx512f._mm512_mask_blend_epi64(negative, less[i], a.0[i]);
        }
        Eight(less)
    }

    /// Plus 2^k moduli, not carried.
    #[inline(always)]
    pub fn moduli<const K: u32>(self, a: Eight) -> Eight {
        let mut sum = a.0;
        for i in 0..5 {
            sum[i] = self.plus(sum[i], self.simd.avx512f._mm512_slli_epi64::<K>(self.modulus[i]));
        }
        Eight(sum)
    }

    /// a - b, not carried.
    #[inline(always)]
    pub fn less(self, a: Eight, b: Eight) -> Eight {
        let mut difference = a.0;
        for i in 0..5 {
            difference[i] = self.minus(difference[i], b.0[i]);
        }
        Eight(difference)
    }

    /// Without bit 255, twice the modulus less the rest where it was set. Takes a rest of at most that.
    #[inline(always)]
    pub fn unsigned(self, a: Eight) -> Eight {
        let (simd, mut rest) = (self.simd.avx512f, a.0);
        let sign = simd._mm512_set1_epi64(1 << (255 - 208));
        let set = simd._mm512_test_epi64_mask(rest[4], sign);
        rest[4] = simd._mm512_andnot_si512(sign, rest[4]);
        for i in 0..5 {
            let twice = simd._mm512_slli_epi64::<1>(self.modulus[i]);
            rest[i] = simd._mm512_mask_sub_epi64(rest[i], set, twice, rest[i]);
        }
        self.carried(Eight(rest))
    }

    /// What is below 8 moduli, of a few terms that were not carried: the same element, above twice the modulus by at most 2^-40 of it.
    #[inline(always)]
    pub fn folded(self, a: Eight) -> Eight {
        self.carried(self.folded_at::<1>(self.folded_at::<2>(a)))
    }

    /// Less 2^k moduli where that is sure to leave something, by the highest digit, which the others' carries change by less than 16.
    #[inline(always)]
    fn folded_at<const K: u32>(self, a: Eight) -> Eight {
        let (simd, mut less) = (self.simd.avx512f, a.0);
        let bound = self.plus(simd._mm512_slli_epi64::<K>(self.modulus[4]), simd._mm512_set1_epi64(16));
        let enough = simd._mm512_cmpge_epi64_mask(less[4], bound);
        for i in 0..5 {
            let some = simd._mm512_slli_epi64::<K>(self.modulus[i]);
            less[i] = simd._mm512_mask_sub_epi64(less[i], enough, less[i], some);
        }
        Eight(less)
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
    pub fn carried(self, sum: Eight) -> Eight {
        let mut digits = sum.0;
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
    use crate::{Limbs, element, limbs};
    use ark_bn254::{Fq, FqConfig, Fr, FrConfig};
    use proptest::prelude::*;

    fn check<T: MontConfig<4>>(simd: Ifma, a: &[Field<T>], b: &[Field<T>]) {
        let (a_limbs, b_limbs): (Vec<Limbs>, Vec<Limbs>) = (a.iter().map(limbs).collect(), b.iter().map(limbs).collect());
        let mut marked = b_limbs.clone();
        marked.iter_mut().step_by(2).for_each(|limbs| limbs[3] |= 1 << 63);
        let results = simd.vectorize(
            #[inline(always)]
            || {
                let lanes = Lanes::new::<T>(simd);
                let load = |limbs: &[Limbs]| lanes.load(std::array::from_fn(|i| &limbs[i]));
                let (x, y) = (load(&a_limbs), load(&b_limbs));
                let four = lanes.add(lanes.add(x, x), lanes.add(x, x));
                let signed = lanes.folded(lanes.less(lanes.moduli::<1>(four), lanes.unsigned(load(&marked))));
                [
                    lanes.mul(x, y),
                    lanes.reduced::<1>(lanes.add(x, y)),
                    lanes.reduced::<1>(lanes.sub::<1>(x, y)),
                    lanes.mul(four, y),
                    signed,
                ]
                .map(|eight| lanes.store(eight))
            },
        );
        for i in 0..8 {
            let four = Field::<T>::from(4u64);
            let signed = if i % 2 == 1 { a[i] * four - b[i] } else { a[i] * four + b[i] };
            assert!(results[4][i][3] < 2 * Field::<T>::MODULUS.0[3] + 2);
            let wanted = [a[i] * b[i], a[i] + b[i], a[i] - b[i], a[i] * b[i] * four, signed];
            assert_eq!([0, 1, 2, 3, 4].map(|op| element::<T>(&results[op][i])), wanted);
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
            assert_eq!(element::<FqConfig>(&limbs(&value)), value);
        }
    }
}
