// SPDX-License-Identifier: MIT OR Apache-2.0
//! The structured reference string: powers of a secret in the first group, the secret in the second.
//!
//! The file is halo2's `ParamsKZG`, as ezkl reads and writes it: `u32 k | 2^k G1 | 2^k G1 in Lagrange form | G2 | tau G2`, all little endian,
//! coordinates in Montgomery form, (0, 0) for infinity. The Lagrange form is not read.

use crate::curve::g2_words;
use crate::msm::Points;
use crate::{Error, ProverKey, VerifierKey};
use ark_bn254::{Bn254, Fq, Fq2, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup, ScalarMul, pairing::Pairing, scalar_mul::variable_base::VariableBaseMSM};
use ark_ff::{BigInt, Field, PrimeField, Zero};
use field::Fr;
use rayon::prelude::*;
use sha3::{Digest, Keccak256};
use transcript::Transcript;

const G1_BYTES: usize = 64;
const G2_BYTES: usize = 128;
/// Sizes that exist, log2 of points: beyond 28 there is no public ceremony, below 1 no secret.
const SIZES: std::ops::RangeInclusive<u32> = 1..=28;

/// Where a string is from. An artifact under an unsafe one says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Read from a file: sound if one contributor to its ceremony was honest, which no check can tell.
    Given,
    /// Made on one machine: whoever made it can forge proofs. For tests and demonstrations only.
    Unsafe,
}

/// A string that was checked.
#[derive(Clone, Debug)]
pub struct Srs {
    /// Where it is from.
    pub origin: Origin,
    powers: Vec<G1Affine>,
    tau: G2Affine,
}

impl Srs {
    /// Reads a file of halo2's and checks it: its length, every point, and that all are powers of one secret (error 2^-128).
    pub fn from_halo2(file: &[u8]) -> Result<Self, Error> {
        let (head, rest) = file.split_first_chunk::<4>().ok_or(Error::Srs("it has no size"))?;
        let k = u32::from_le_bytes(*head);
        if !SIZES.contains(&k) {
            return Err(Error::Srs("its size is none that exists"));
        }
        let points = G1_BYTES << k;
        if rest.len() != 2 * points + 2 * G2_BYTES {
            return Err(Error::Srs("its length is not that of its size"));
        }
        let (powers, rest) = rest.split_at(points);
        let (g2, tau) = rest.split_at(points).1.split_at(G2_BYTES);
        let powers: Option<Vec<G1Affine>> = powers.par_chunks(G1_BYTES).map(read_g1).collect();
        let powers = powers.ok_or(Error::Srs("a point is not on the curve"))?;
        if powers.first() != Some(&G1Affine::generator()) || read_g2(g2) != Some(G2Affine::generator()) {
            return Err(Error::Srs("it does not begin with the generators"));
        }
        let tau = read_g2(tau).ok_or(Error::Srs("its secret is no point of the second group"))?;
        let srs = Self { origin: Origin::Given, powers, tau };
        srs.are_powers(file).then_some(srs).ok_or(Error::Srs("its points are not powers of one secret"))
    }

    /// Makes a string of 2^k points whose secret is derived from `seed`: anybody who knows the seed can forge.
    pub fn unsafe_from_seed(k: u32, seed: &[u8]) -> Result<Self, Error> {
        if !SIZES.contains(&k) {
            return Err(Error::Srs("its size is none that exists"));
        }
        let secret = field::from_bytes_reduced(&Keccak256::digest(seed).into());
        let mut scalars = vec![Fr::ONE; 1 << k];
        let mut power = Fr::ONE;
        scalars.iter_mut().skip(1).for_each(|scalar| {
            power *= secret;
            *scalar = power;
        });
        let powers = G1Projective::generator().batch_mul(&scalars);
        Ok(Self { origin: Origin::Unsafe, powers, tau: (G2Projective::generator() * secret).into_affine() })
    }

    /// log2 of its points.
    pub fn k(&self) -> u32 {
        self.powers.len().ilog2()
    }

    /// H(tau in the second group, 4 words || k, a word): what a verification key names it by.
    pub fn id(&self) -> [u8; 32] {
        id(&self.tau_words(), self.k())
    }

    /// The ids that strings of this secret have, by their size.
    pub fn ids(tau: &[[u8; 32]; 4]) -> impl Iterator<Item = [u8; 32]> {
        SIZES.map(|k| id(tau, k))
    }

    /// The words of tau in the second group, as a contract's pairing takes them.
    pub fn tau_words(&self) -> [[u8; 32]; 4] {
        g2_words(&self.tau)
    }

    /// The verifier's part.
    pub fn verifier_key(&self) -> VerifierKey {
        VerifierKey { tau: self.tau }
    }

    /// The prover's part, of at most 2^n values a row.
    pub fn prover_key(&self, n: u32) -> Result<ProverKey, Error> {
        let values = 1usize.checked_shl(n).unwrap_or(usize::MAX);
        let powers = self.powers.get(..values).ok_or(Error::TooLong { values, points: self.powers.len() })?;
        Ok(ProverKey { powers: Points::new(powers.to_vec()) })
    }

    /// e(sum r_i P_(i+1), 1) = e(sum r_i P_i, tau), with weights that the file itself determines.
    fn are_powers(&self, file: &[u8]) -> bool {
        let mut transcript = Transcript::new("vml.srs");
        transcript.absorb_words("file", &[Keccak256::digest(file).into()]);
        let ratio = transcript.challenge("weights");
        let mut weight = Fr::ONE;
        let weights: Vec<Fr> = (1..self.powers.len())
            .map(|_| {
                weight *= ratio;
                weight
            })
            .collect();
        let combined = |from: usize| match self.powers.get(from..from + weights.len()) {
            Some(points) => G1Projective::msm_unchecked(points, &weights).into_affine(),
            None => G1Affine::identity(),
        };
        let (shifted, plain) = rayon::join(|| combined(1), || combined(0));
        Bn254::multi_pairing([shifted, (-plain.into_group()).into_affine()], [G2Affine::generator(), self.tau]).is_zero()
    }
}

fn id(tau: &[[u8; 32]; 4], k: u32) -> [u8; 32] {
    let mut hash = Keccak256::new();
    tau.iter().for_each(|word| hash.update(word));
    hash.update([0; 28]);
    hash.update(k.to_be_bytes());
    hash.finalize().into()
}

fn read_fq(bytes: &[u8]) -> Option<Fq> {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_le_bytes(*chunk);
    }
    let montgomery = BigInt(limbs);
    (montgomery < Fq::MODULUS).then(|| Fq::new_unchecked(montgomery))
}

fn read_g1(bytes: &[u8]) -> Option<G1Affine> {
    let (x, y) = bytes.split_at_checked(32)?;
    let point = G1Affine::new_unchecked(read_fq(x)?, read_fq(y)?);
    (point.is_on_curve() && !point.is_zero()).then_some(point)
}

fn read_g2(bytes: &[u8]) -> Option<G2Affine> {
    let mut parts = bytes.chunks(32).map(read_fq);
    let mut pair = || Some(Fq2::new(parts.next()??, parts.next()??));
    let point = G2Affine::new_unchecked(pair()?, pair()?);
    (point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve() && !point.is_zero()).then_some(point)
}
