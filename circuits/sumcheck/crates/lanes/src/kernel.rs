// SPDX-License-Identifier: MIT OR Apache-2.0
//! Work on slices that is done in one of two ways: plainly, or eight elements at a time. Both give the same integers.

use ark_ff::MontConfig;

#[cfg(target_arch = "x86_64")]
use crate::{
    Field,
    eight::{Eight, Ifma, Lanes},
};

/// Some work. `fast` and all that it calls must be inlined.
pub(crate) trait Kernel<T: MontConfig<4>>: Sized {
    type Output;
    /// One at a time.
    fn plain(self) -> Self::Output;
    /// Eight at a time.
    #[cfg(target_arch = "x86_64")]
    fn fast(self, lanes: Lanes) -> Self::Output;

    /// The quicker of both that this processor can.
    fn run(self) -> Self::Output {
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = Ifma::try_new() {
            return simd.vectorize(Inline { simd, kernel: self, of: std::marker::PhantomData::<T> });
        }
        self.plain()
    }
}

#[cfg(target_arch = "x86_64")]
struct Inline<T, K> {
    simd: Ifma,
    kernel: K,
    of: std::marker::PhantomData<T>,
}

#[cfg(target_arch = "x86_64")]
impl<T: MontConfig<4>, K: Kernel<T>> pulp::NullaryFnOnce for Inline<T, K> {
    type Output = K::Output;

    #[inline(always)]
    fn call(self) -> K::Output {
        self.kernel.fast(Lanes::new::<T>(self.simd))
    }
}

/// Blocks of eight that a sum may gather before it is carried.
#[cfg(target_arch = "x86_64")]
pub(crate) const GATHERED: usize = 1 << 10;

/// A sum in the library's form, `scale` times what was gathered: a product of what was read is a sixteenth of what that form wants.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn total<T: MontConfig<4>>(lanes: Lanes, sum: Eight, scale: u64) -> Field<T> {
    sum_of_lanes(&lanes.digits(sum), scale)
}

#[cfg(target_arch = "x86_64")]
fn sum_of_lanes<T: MontConfig<4>>(digits: &[[u64; 8]; 5], scale: u64) -> Field<T> {
    use ark_ff::{BigInt, Fp};
    let digit = |i: usize| Field::<T>::from(digits[i].iter().map(|lane| u128::from(*lane)).sum::<u128>());
    let base = Field::<T>::from(1u64 << 52);
    let value = (0..5).rev().fold(Field::<T>::from(0u64), |value, i| value * base + digit(i));
    value * Fp::new_unchecked(BigInt([scale, 0, 0, 0]))
}
