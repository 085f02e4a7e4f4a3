// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many inverses for one inversion (Montgomery).

use crate::Field;
use crate::kernel::Kernel;
use ark_ff::{MontConfig, Zero};

#[cfg(target_arch = "x86_64")]
use crate::eight::Lanes;

/// Each element's inverse. Returns whether all have one; if not, the slice holds nothing of use.
pub fn invert<T: MontConfig<4>>(values: &mut [Field<T>]) -> bool {
    Invert { values }.run()
}

struct Invert<'a, T: MontConfig<4>> {
    values: &'a mut [Field<T>],
}

impl<T: MontConfig<4>> Kernel<T> for Invert<'_, T> {
    type Output = bool;

    fn plain(self) -> bool {
        ark_ff::batch_inversion(self.values);
        !self.values.iter().any(Field::<T>::is_zero)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn fast(self, lanes: Lanes) -> bool {
        let (values, rest) = self.values.as_chunks_mut::<8>();
        let one = lanes.splat(&crate::limbs(&Field::<T>::from(1u64)));
        let (mut product, mut before) = (one, Vec::with_capacity(values.len()));
        for eight in values.iter() {
            before.push(product);
            product = lanes.mul(product, lanes.read(eight));
        }
        let mut inverses = [Field::<T>::zero(); 8];
        for (inverse, limbs) in inverses.iter_mut().zip(lanes.store(product)) {
            *inverse = crate::element(&limbs);
        }
        ark_ff::batch_inversion(&mut inverses);
        if inverses.iter().any(Field::<T>::is_zero) {
            return false;
        }
        // what was read is a sixteenth as digits go: an inverse is sixteen times too large, and again as the library's form goes
        let mut limbs = [[0; 4]; 8];
        let correction = Field::<T>::new_unchecked(ark_ff::BigInt([0, 0, 0, 1 << 56])); // 2^-8
        for (limbs, inverse) in limbs.iter_mut().zip(inverses) {
            *limbs = crate::limbs(&(inverse * correction));
        }
        let mut inverse = lanes.load(limbs.each_ref());
        for (eight, before) in values.iter_mut().zip(before).rev() {
            let own = lanes.mul(inverse, before);
            inverse = lanes.mul(inverse, lanes.read(eight));
            lanes.write(lanes.reduced::<0>(own), eight);
        }
        Invert { values: rest }.plain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{Fr, FrConfig};
    use ark_ff::PrimeField;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_ways_give_the_same(bytes in prop::collection::vec(prop_oneof![Just([0; 32]), any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>()], 0..70)) {
            let values: Vec<Fr> = bytes.iter().map(|bytes| Fr::from_le_bytes_mod_order(bytes)).collect();
            let (mut fast, mut plain) = (values.clone(), values);
            let (done, wanted) = (Invert::<FrConfig> { values: &mut fast }.run(), Invert::<FrConfig> { values: &mut plain }.plain());
            prop_assert_eq!(done, wanted);
            prop_assert!(!done || fast == plain);
        }
    }
}
