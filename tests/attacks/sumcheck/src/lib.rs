// SPDX-License-Identifier: MIT OR Apache-2.0
//! Malicious provers: the honest one with one forged part, a file for each thing that a verifier must not believe.
//!
//! In: programs of a line or two, and digits-cnn. Out: forgeries, each with what an honest prover shows of the same program. Both verifiers,
//! in Rust (`tests/rejected.rs`) and in Solidity (tests/attacks/test_sumcheck_forgeries.py), accept the honest proof and refuse the forged one.

pub mod forgeries;
pub mod forgery;
pub mod world;

pub use forgery::{Forgery, Shown};
pub use world::{Cubes, Form, Text, World};
