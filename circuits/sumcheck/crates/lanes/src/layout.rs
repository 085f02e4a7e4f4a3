// SPDX-License-Identifier: MIT OR Apache-2.0
//! How eight elements are read from memory and written back: four limbs of 64 bits each there, five digits of 52 bits here. Inlined like
//! the arithmetic.

#![allow(clippy::needless_range_loop)]

use crate::eight::{Eight, Lanes};
use crate::{Field, Limbs};
use ark_ff::{BigInt, Fp, MontConfig};
use std::arch::x86_64::__m512i;

impl Lanes {
    /// Eight of them.
    #[inline(always)]
    pub fn load(self, of: [&Limbs; 8]) -> Eight {
        self.parted([self.pair(of[0], of[1]), self.pair(of[2], of[3]), self.pair(of[4], of[5]), self.pair(of[6], of[7])])
    }

    /// The same eight times.
    #[inline(always)]
    pub fn splat(self, limbs: &Limbs) -> Eight {
        self.load([limbs; 8])
    }

    /// Back, of what is below 2^256.
    #[inline(always)]
    pub fn store(self, eight: Eight) -> [Limbs; 8] {
        let [a, b, c, d] = self.joined(eight);
        let (t, u) = (self.halves(a, b), self.halves(c, d));
        let rows = [self.interleaved(t.0, u.0), self.interleaved(t.1, u.1)];
        let mut limbs = [[0; 4]; 8];
        for half in 0..2 {
            for (i, row) in [rows[half].0, rows[half].1].into_iter().enumerate() {
                let both: [u64; 8] = pulp::cast(row);
                limbs[4 * half + 2 * i] = [both[0], both[1], both[2], both[3]];
                limbs[4 * half + 2 * i + 1] = [both[4], both[5], both[6], both[7]];
            }
        }
        limbs
    }

    /// The digits of all lanes, lowest first; they need not have been carried.
    #[inline(always)]
    pub(crate) fn digits(self, eight: Eight) -> [[u64; 8]; 5] {
        let mut digits = [[0; 8]; 5];
        for i in 0..5 {
            digits[i] = pulp::cast(eight.0[i]);
        }
        digits
    }

    /// Eight neighbours in the library's form.
    #[inline(always)]
    pub fn read<T: MontConfig<4>>(self, of: &[Field<T>; 8]) -> Eight {
        let [a, b, c, d, e, f, g, h] = of;
        self.load([&a.0.0, &b.0.0, &c.0.0, &d.0.0, &e.0.0, &f.0.0, &g.0.0, &h.0.0])
    }

    /// Back, of what is below the modulus.
    #[inline(always)]
    pub fn write<T: MontConfig<4>>(self, eight: Eight, to: &mut [Field<T>; 8]) {
        for (to, limbs) in to.iter_mut().zip(self.store(eight)) {
            *to = Fp::new_unchecked(BigInt(limbs));
        }
    }

    /// Rows of two elements each, to digits.
    #[inline(always)]
    fn parted(self, z: [__m512i; 4]) -> Eight {
        let (t, u) = (self.interleaved(z[0], z[1]), self.interleaved(z[2], z[3]));
        let (a, b) = self.halves(t.0, u.0);
        let (c, d) = self.halves(t.1, u.1);
        self.cut([a, b, c, d])
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
    fn pair(self, a: &Limbs, b: &Limbs) -> __m512i {
        pulp::cast([*a, *b])
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

    #[inline(always)]
    fn or(self, a: __m512i, b: __m512i) -> __m512i {
        self.simd.avx512f._mm512_or_si512(a, b)
    }

    #[inline(always)]
    fn low(self, a: __m512i) -> __m512i {
        self.simd.avx512f._mm512_and_si512(a, self.mask)
    }
}
