// SPDX-License-Identifier: MIT OR Apache-2.0
//! One proof of one statement: the order of stages, in docs/sumcheck.md. Rules 59 to 71.
//!
//! In: a key, a statement, and for the prover nothing more: it runs the program itself. Out: the words of a proof, or whether they
//! show the statement. Not hiding.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod claims;
mod prove;
mod statement;
mod tables;
mod verify;

pub use prove::{ProveError, Stages, UNTOLD, prove};
pub use statement::Statement;
pub use sumcheck::Fault;
pub use verify::verify;

/// The honest prover's inside, for provers who lie: in no build that is shipped.
#[cfg(feature = "forge")]
pub mod forge {
    pub use crate::prove::{Says, TRUTH, on_cubes, prove_cubes, run};
    pub use crate::verify::fold_rows;
}
