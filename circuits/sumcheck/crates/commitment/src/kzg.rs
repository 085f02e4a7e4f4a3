// SPDX-License-Identifier: MIT OR Apache-2.0
//! KZG over BN254: a row is the value of its polynomial at a secret point, in the group. Openings are Mercury's.

use crate::curve::{g1_from_words, g1_words, g2_from_words};
use crate::msm::Points;
use crate::{Commitment, Error, mercury};
use ark_bn254::{G1Affine, G2Affine};
use ark_ec::{CurveGroup, scalar_mul::variable_base::VariableBaseMSM};
use field::Fr;
use transcript::Transcript;

pub use crate::mercury::Opening;

/// Powers of the secret, in the first group. As many as the longest row has values.
#[derive(Clone, Debug)]
pub struct ProverKey {
    pub(crate) powers: Points,
}

/// The secret in the second group, checked to be a point of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    pub(crate) tau: G2Affine,
}

impl VerifierKey {
    /// Reads `Srs::tau_words`.
    pub fn from_words(words: &[[u8; 32]; 4]) -> Option<Self> {
        g2_from_words(words).map(|tau| Self { tau })
    }
}

/// KZG rows (Kate, Zaverucha, Goldberg 2010), Mercury openings (eprint 2025/385).
#[derive(Clone, Debug)]
pub struct Kzg;

impl Commitment for Kzg {
    type ProverKey = ProverKey;
    type VerifierKey = VerifierKey;
    type Row = G1Affine;
    type Opening = Opening;

    fn row_words_count(_: usize) -> usize {
        2
    }

    fn opening_words_count(_: usize) -> usize {
        mercury::WORDS
    }

    fn commit_integers(key: &ProverKey, row: &[i64]) -> Result<G1Affine, Error> {
        key.powers.msm_integers(row)
    }

    fn commit_field(key: &ProverKey, row: &[Fr]) -> Result<G1Affine, Error> {
        key.powers.msm_field(row)
    }

    fn words(row: &G1Affine) -> Vec<[u8; 32]> {
        g1_words(row).to_vec()
    }

    fn row_from_words(words: &[[u8; 32]]) -> Option<G1Affine> {
        g1_from_words(words)
    }

    fn fold(rows: &[G1Affine], weights: &[Fr]) -> Option<G1Affine> {
        let fits = !rows.is_empty() && rows.len() == weights.len();
        fits.then(|| ark_bn254::G1Projective::msm_unchecked(rows, weights).into_affine())
    }

    fn open(key: &ProverKey, row: &G1Affine, poly: &[Fr], point: &[Fr], t: &mut Transcript) -> Result<Opening, Error> {
        mercury::open(&key.powers, row, poly, point, t)
    }

    fn verify(key: &VerifierKey, row: &G1Affine, point: &[Fr], value: &Fr, opening: &Opening, t: &mut Transcript) -> bool {
        mercury::verify(&key.tau, row, point, value, opening, t)
    }

    fn opening_words(opening: &Opening) -> Vec<[u8; 32]> {
        opening.words()
    }

    fn opening_from_words(_: usize, words: &[[u8; 32]]) -> Option<Opening> {
        Opening::from_words(words)
    }
}
