// SPDX-License-Identifier: MIT OR Apache-2.0
//! Polynomial commitments: rows of values become points, and one folded row is opened at one point of a multilinear.
//!
//! In: rows, scalars, a reference string. Out: `Row`s, `Opening`s, and whether one holds. Knows no operator, no program.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adder;
mod buckets;
mod curve;
#[cfg(target_arch = "x86_64")]
mod fast;
#[cfg(not(target_arch = "x86_64"))]
#[path = "no_fast.rs"]
mod fast;
mod kzg;
mod mercury;
mod msm;
mod polynomial;
mod srs;

pub use kzg::{Kzg, Opening, ProverKey, VerifierKey};
pub use srs::{Origin, Srs};

use field::Fr;
use std::fmt::Debug;
use transcript::Transcript;

/// Why something could not be committed to, opened, or read. A prover's; a verifier answers yes or no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// More values than the reference string has points.
    TooLong {
        /// Values of the row.
        values: usize,
        /// Points of the string.
        points: usize,
    },
    /// A row of no values.
    Empty,
    /// An opening needs 2^n values for a point of n coordinates, n at least 2.
    WrongShape {
        /// Values of the polynomial.
        values: usize,
        /// Coordinates of the point.
        coordinates: usize,
    },
    /// A polynomial so sparse that one of the opening's commitments would be the point at infinity, which verifiers refuse.
    Degenerate(&'static str),
    /// A reference string that is none.
    Srs(&'static str),
}

/// Commits to rows of 2^n values, and opens one as a multilinear polynomial.
///
/// Binding, not hiding. Of a point, coordinate 0 belongs to the highest bit of the index.
pub trait Commitment {
    /// What a prover needs.
    type ProverKey;
    /// What a verifier needs.
    type VerifierKey;
    /// A commitment to one row.
    type Row: Clone + Eq + Debug;
    /// What shows that a row has a value at a point.
    type Opening: Clone + Eq + Debug;

    /// Words of a commitment to a row of 2^n values.
    fn row_words_count(n: usize) -> usize;
    /// Words of an opening of n coordinates, in the order in which the proof carries them.
    fn opening_words_count(n: usize) -> usize;
    /// A row of integers, the narrower the cheaper. Shorter than 2^n is as if padded by zeros; so below.
    fn commit_integers(key: &Self::ProverKey, row: &[i64]) -> Result<Self::Row, Error>;
    /// A row of scalars.
    fn commit_field(key: &Self::ProverKey, row: &[Fr]) -> Result<Self::Row, Error>;
    /// What the transcript absorbs and the proof carries.
    fn words(row: &Self::Row) -> Vec<[u8; 32]>;
    /// Reads what `words` wrote, and nothing else: canonical, on the curve.
    fn row_from_words(words: &[[u8; 32]]) -> Option<Self::Row>;
    /// The commitment to `sum of weights[i] * row[i]`. `None` if there is not one weight a row, or no row.
    fn fold(rows: &[Self::Row], weights: &[Fr]) -> Option<Self::Row>;
    /// Opens `poly`, to which `row` is the commitment, at `point`. Absorbs row, point and value first.
    fn open(
        key: &Self::ProverKey,
        row: &Self::Row,
        poly: &[Fr],
        point: &[Fr],
        transcript: &mut Transcript,
    ) -> Result<Self::Opening, Error>;
    /// Whether the row has this value at this point. The transcript moves as `open` moved it, if the opening holds.
    fn verify(
        key: &Self::VerifierKey,
        row: &Self::Row,
        point: &[Fr],
        value: &Fr,
        opening: &Self::Opening,
        transcript: &mut Transcript,
    ) -> bool;
    /// The opening as the proof carries it.
    fn opening_words(opening: &Self::Opening) -> Vec<[u8; 32]>;
    /// Reads what `opening_words` wrote for n coordinates, and nothing else.
    fn opening_from_words(n: usize, words: &[[u8; 32]]) -> Option<Self::Opening>;
}
