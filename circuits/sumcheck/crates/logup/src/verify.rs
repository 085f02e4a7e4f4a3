// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verifier of the lookup argument.

#![deny(clippy::indexing_slicing)]

use crate::{DEGREE, GROUP};
use field::Fr;
use sumcheck::rounds::horner;
use sumcheck::{Fault, Reader};

/// What the prover says at the end; true only if the caller opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finals {
    /// The lookups' helper.
    pub h: Fr,
    /// Fingerprints of lookups, a sub-cube each.
    pub f: Vec<Fr>,
    /// The tables' helper.
    pub g: Fr,
    /// Fingerprints of entries.
    pub t: Vec<Fr>,
    /// Multiplicities.
    pub m: Vec<Fr>,
}

/// Scalars of `Finals`.
const WORDS: usize = 2 + 3 * GROUP;

impl Finals {
    /// In the order in which they are sent.
    pub(crate) fn words(&self) -> Vec<Fr> {
        [&[self.h], self.f.as_slice(), &[self.g], &self.t, &self.m].concat()
    }
}

/// Assures both helper equations on their whole cubes, but for an error of about (10 * rounds + 1) / p, if the caller opens the
/// claims returned: the lookups' at the point, the tables' at its last `tables` coordinates.
pub fn verify(
    lookups: usize,
    tables: usize,
    tau: &[Fr],
    lambda: &Fr,
    alpha: &Fr,
    proof: &mut Reader,
) -> Result<(Vec<Fr>, Finals), Fault> {
    let (mut claim, mut point) = (Fr::from(0u64), Vec::new());
    for coordinate in tau.iter().take(lookups.max(tables)) {
        let mut coefficients = vec![Fr::from(0u64)];
        coefficients.extend(proof.scalars("lookup round", DEGREE)?);
        complete(&mut coefficients, claim, coordinate);
        let r = proof.challenge("lookup point");
        claim = horner(&coefficients, &r);
        point.push(r);
    }
    let finals = read(proof)?;
    let one = [Fr::from(1u64); GROUP];
    let expected = defect(finals.h, &finals.f, &one, alpha) + *lambda * defect(finals.g, &finals.t, &finals.m, alpha);
    if claim == expected { Ok((point, finals)) } else { Err(Fault::Rejected("the lookup argument does not hold")) }
}

/// Fills in the constant, so that (1 - tau) q(0) + tau q(1) = claim.
pub(crate) fn complete(coefficients: &mut [Fr], claim: Fr, tau: &Fr) {
    let higher: Fr = coefficients.iter().skip(1).sum();
    if let Some(constant) = coefficients.first_mut() {
        *constant = claim - *tau * higher;
    }
}

fn read(proof: &mut Reader) -> Result<Finals, Fault> {
    let mut sent = proof.scalars("lookup values", WORDS)?.into_iter();
    let mut take = |count: usize| sent.by_ref().take(count).collect::<Vec<Fr>>();
    let (h, f, g, t, m) = (take(1), take(GROUP), take(1), take(GROUP), take(GROUP));
    let single = |values: Vec<Fr>| values.into_iter().next().ok_or(Fault::Malformed("lookup values"));
    Ok(Finals { h: single(h)?, f, g: single(g)?, t, m })
}

/// helper * prod(alpha - f_b) - sum over b of n_b * prod of the others.
fn defect(helper: Fr, fingerprints: &[Fr], numerators: &[Fr], alpha: &Fr) -> Fr {
    let (mut numerator, mut denominator) = (Fr::from(0u64), Fr::from(1u64));
    for (f, n) in fingerprints.iter().zip(numerators) {
        let d = *alpha - f;
        numerator = numerator * d + *n * denominator;
        denominator *= d;
    }
    helper * denominator - numerator
}
