// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sumchecks: round polynomials, the words of a proof, multilinear helpers.
//!
//! In: tables of scalars. Out: claims at one point. Knows no commitment, no lookup, no operator.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod channel;
pub mod multilinear;
pub mod product;
pub mod rounds;

#[cfg(feature = "forge")]
pub use channel::Liar;
pub use channel::{Fault, Reader, Writer};
