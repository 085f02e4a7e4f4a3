// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each operator of a program means as constraints: one file an operator, named as in verifiable_ml/program/ops.
//!
//! In: a `Program` and how many inputs are run at once. Out: a `System`. Knows no proof.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod add;
mod affine;
mod argmax;
mod compare;
mod conv;
mod divide;
mod gather;
mod isqrt;
mod lookup;
mod lowering;
mod matmul;
mod max;
mod mul;
mod rearrange;
mod requantise;
mod sum;

pub use lowering::{Refusal, lower};

use lowering::Gadget;

/// Every operator of a program.
const GADGETS: [(&str, Gadget); 13] = [
    ("add", add::lower),
    ("argmax", argmax::lower),
    ("compare", compare::lower),
    ("conv", conv::lower),
    ("divide", divide::lower),
    ("gather", gather::lower),
    ("isqrt", isqrt::lower),
    ("lookup", lookup::lower),
    ("matmul", matmul::lower),
    ("max", max::lower),
    ("mul", mul::lower),
    ("rearrange", rearrange::lower),
    ("sum", sum::lower),
];
