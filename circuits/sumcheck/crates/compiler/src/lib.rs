// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a program to what prover and verifier hold: the system, where each tensor stands among the rows, the key's commitments.
//!
//! Everything here follows from the program, the count of inputs run at once, and the reference string.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod key;
mod layout;

pub use key::{KeyError, ProverKey, VerifierKey, rows, setup, write};
pub use layout::{Layout, Phase, Place};
