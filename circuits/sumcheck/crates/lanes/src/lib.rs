// SPDX-License-Identifier: MIT OR Apache-2.0
//! Eight elements of a prime field side by side, on processors that multiply 52-bit integers eight at a time (AVX-512 IFMA): a
//! multiplication takes a quarter of the time. Provers ask at run time; where there is no such processor they do without.
//!
//! In: field elements. Out: field elements, the same integers as one at a time. Knows no curve, no protocol.

#[cfg(target_arch = "x86_64")]
mod eight;
mod fraction;
mod invert;
mod kernel;
#[cfg(target_arch = "x86_64")]
mod layout;
mod slices;

pub use fraction::{DEFECTS, GROUP, defects};
pub use invert::invert;
pub use slices::{add_scaled, bind, combine, dot, round_of_three, round_of_two};

#[cfg(target_arch = "x86_64")]
pub use eight::{Eight, Ifma, Lanes};

/// What `Ifma::vectorize` takes: a closure is one too, but its body may stay outside.
#[cfg(target_arch = "x86_64")]
pub use pulp::NullaryFnOnce as Inlined;

use ark_ff::{BigInt, Fp, MontBackend, MontConfig, PrimeField};

/// An element as the arithmetic takes it, lowest limb first: 2^260 times it, perhaps a multiple of the modulus more.
pub type Limbs = [u64; 4];

/// A field of four 64-bit limbs, as the library has it.
pub type Field<T> = Fp<MontBackend<T, 4>, 4>;

/// To the arithmetic's form, below the modulus. The library's form is 2^256 times an element: four doublings.
pub fn limbs<T: MontConfig<4>>(element: &Field<T>) -> Limbs {
    let mut sixteenfold = *element;
    (0..4).for_each(|_| sixteenfold = sixteenfold + sixteenfold);
    sixteenfold.0.0
}

/// Back.
pub fn element<T: MontConfig<4>>(limbs: &Limbs) -> Field<T> {
    let mut limbs = BigInt(*limbs);
    while limbs >= Field::<T>::MODULUS {
        ark_ff::BigInteger::sub_with_borrow(&mut limbs, &Field::<T>::MODULUS);
    }
    Fp::new_unchecked(limbs) * sixteenth::<T>()
}

fn sixteenth<T: MontConfig<4>>() -> Field<T> {
    // 2^-4 in the library's form is 2^252
    Fp::new_unchecked(BigInt([0, 0, 0, 1 << 60]))
}
