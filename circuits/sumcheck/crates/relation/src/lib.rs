// SPDX-License-Identifier: MIT OR Apache-2.0
//! What must hold of the tensors of a run: the one form between operators and proof.
//!
//! A tensor stands on a cube: each axis is padded to a power of two, and what holds of it holds on the padding too. Some tensors
//! are committed, the others are defined by lower ones: `Linear`, `Product`, `Conv`. Constraints are lookups in tables, and
//! tensors that are zero. A claim, `sum of weights * tensor = value`, is pulled back along the definitions until it is one about
//! commitments. In: what gadgets say. Out: a `System`, and both sides' arithmetic of it. Knows no program, no transcript.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod claims;
pub mod conv;
pub mod linear;
pub mod product;
pub mod system;
pub mod table;
pub mod weights;

pub use claims::{Claim, Expansion, expand};
pub use conv::{Conv, Window};
pub use linear::{Group, Linear, LinearTerm};
pub use product::{Label, Operand, Product};
pub use system::{Form, Lookup, Recipe, System, Tensor, TensorId};
pub use table::{Column, Table};
pub use weights::Factor;

/// log2 of the padded length of an axis.
pub fn bits(size: usize) -> usize {
    size.next_power_of_two().ilog2() as usize
}
