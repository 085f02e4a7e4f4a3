// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each operator of a program means as constraints: one file an operator, named as in verifiable_ml/program/ops.
//!
//! In: a `Program` and how many inputs are run at once. Out: a `System`. Knows no proof.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod add;
mod affine;
mod conv;
mod lowering;
mod matmul;
mod max;
mod mul;
mod rearrange;
mod requantise;
mod sum;

pub use lowering::{Refusal, lower};

use lowering::Gadget;

/// Operators that can be proved.
const GADGETS: [(&str, Gadget); 7] = [
    ("add", add::lower),
    ("conv", conv::lower),
    ("matmul", matmul::lower),
    ("max", max::lower),
    ("mul", mul::lower),
    ("rearrange", rearrange::lower),
    ("sum", sum::lower),
];
