// SPDX-License-Identifier: MIT OR Apache-2.0
//! The scalar field of BN254: integers in, 32 canonical bytes out, and sums of small integers times scalars.
//!
//! In: integers and bytes. Out: `Fr`. Knows no curve, no transcript, no protocol.

mod fold;

pub use fold::fold_i64;

use ark_ff::{BigInt, BigInteger, PrimeField};

/// A scalar. Its modulus p is the order of BN254's first group.
pub type Fr = ark_bn254::Fr;

/// An integer as a scalar; a negative one is p minus its magnitude.
pub fn from_i64(value: i64) -> Fr {
    Fr::from(value)
}

/// The same of 128 bits.
pub fn from_i128(value: i128) -> Fr {
    Fr::from(value)
}

/// Canonical: the representative in [0, p), big endian.
pub fn to_bytes(x: &Fr) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().zip(x.into_bigint().to_bytes_be()) {
        *place = byte;
    }
    bytes
}

/// Reads what `to_bytes` writes; `None` if the integer is not below p.
pub fn from_bytes(bytes: &[u8; 32]) -> Option<Fr> {
    Fr::from_bigint(integer(bytes))
}

/// The integer modulo p: for hashes, never for what a stranger sent as a scalar.
pub fn from_bytes_reduced(bytes: &[u8; 32]) -> Fr {
    Fr::from_be_bytes_mod_order(bytes)
}

fn integer(bytes: &[u8; 32]) -> BigInt<4> {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_be_bytes(*chunk);
    }
    BigInt(limbs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn modulus() -> [u8; 32] {
        let mut bytes = to_bytes(&from_i64(-1));
        bytes[31] += 1; // p is odd, so p - 1 ends in an even byte
        bytes
    }

    #[test]
    fn bytes_of_the_modulus_are_no_scalar() {
        assert_eq!(from_bytes(&modulus()), None);
        assert_eq!(from_bytes(&[255; 32]), None);
        assert_eq!(from_bytes_reduced(&modulus()), from_i64(0));
        assert!(from_bytes(&to_bytes(&from_i64(-1))).is_some());
    }

    #[test]
    fn bytes_of_small_integers_are_big_endian() {
        let mut wanted = [0; 32];
        wanted[30] = 1;
        wanted[31] = 2;
        assert_eq!(to_bytes(&from_i64(258)), wanted);
        assert_eq!(from_i128(1 << 70), from_i64(1 << 35) * from_i64(1 << 35));
        assert_eq!(from_i64(i64::MIN) + from_i128(1 << 63), from_i64(0));
    }

    proptest! {
        #[test]
        fn bytes_round_trip(bytes: [u8; 32]) {
            let x = from_bytes_reduced(&bytes);
            prop_assert_eq!(from_bytes(&to_bytes(&x)), Some(x));
            prop_assert_eq!(from_bytes(&bytes).is_some(), to_bytes(&x) == bytes);
        }
    }
}
