// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verifier of a sumcheck, and the arithmetic of a round polynomial that both sides share.

#![deny(clippy::indexing_slicing)]

use crate::channel::{Fault, Reader};
use field::Fr;

/// The value at `x` of the polynomial with these coefficients, the constant first.
pub fn horner(coefficients: &[Fr], x: &Fr) -> Fr {
    coefficients.iter().rev().fold(Fr::from(0u64), |sum, c| sum * x + c)
}

/// A round polynomial p with p(0) + p(1) = claim, from its coefficients but the linear one.
pub fn with_sum(claim: Fr, constant: Fr, higher: &[Fr]) -> Vec<Fr> {
    let linear = claim - constant - constant - higher.iter().sum::<Fr>();
    [constant, linear].into_iter().chain(higher.iter().copied()).collect()
}

/// Assures that `claim` is the sum of a polynomial of that degree in each variable over {0,1}^rounds, but for an error of
/// rounds * degree / p, *if* the caller checks the value returned at the point returned. (Lund, Fortnow, Karloff, Nisan 1992)
pub fn verify(mut claim: Fr, rounds: usize, degree: usize, proof: &mut Reader) -> Result<(Vec<Fr>, Fr), Fault> {
    let mut point = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let sent = proof.scalars("round", degree)?;
        let (constant, higher) = sent.split_first().ok_or(Fault::Malformed("round"))?;
        let r = proof.challenge("point");
        claim = horner(&with_sum(claim, *constant, higher), &r);
        point.push(r);
    }
    Ok((point, claim))
}
