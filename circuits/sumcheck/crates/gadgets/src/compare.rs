// SPDX-License-Identifier: MIT OR Apache-2.0
//! compare: z = 1 where x < y, else 0. Rule 67.
//!
//! Narrow: (x - y, z) is looked up in a table of signs. Wide: x - y + z * 2^w in [0, 2^w), for a bit z.

use crate::add::broadcast;
use crate::affine::{hull, same, vanish, virtual_sum};
use crate::lowering::{Failure, Lowering};
use crate::requantise::{TABLE, width};
use program::Operator;
use relation::{Column, LinearTerm, Recipe, Table, TensorId, bits};

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    let shape = lowering.batched(&operator.output.shape);
    let ((x, x_shape), (y, y_shape)) =
        (lowering.broadcast(operator, 0, shape.len())?, lowering.broadcast(operator, 1, shape.len())?);
    let system = &mut lowering.system;
    let term = |coefficient: i64, source: TensorId, from: &[usize]| {
        let groups = broadcast(&shape, from);
        LinearTerm { coefficient, source, order: (0..groups.len()).collect(), groups }
    };
    let (a, b) = (&system.tensors[x], &system.tensors[y]);
    let (low, high) = hull([i128::from(a.low) - i128::from(b.high), i128::from(a.high) - i128::from(b.low)].into_iter())?;
    let d = virtual_sum(system, &shape, (low, high), vec![term(1, x, &x_shape), term(-1, y, &y_shape)], 0);
    if high - low < TABLE {
        let size = bits((high - low + 1) as usize);
        let z = system.commit(&shape, (0, 1), Recipe::map(d, |d| i64::from(d < 0)));
        let keys = Column::Clip { start: low, low, high: low + (1 << size) - 1 };
        let below = Column::Below { count: usize::try_from(-low).unwrap_or(0) };
        system.lookup(Table { bits: size, columns: vec![keys, below] }, vec![d, z]);
        return Ok(z);
    }
    let w = width(high.max(-low));
    let z = system.commit_range(&shape, 1, Recipe::map(d, |d| i64::from(d < 0)));
    let lifted = system.commit_range(&shape, w, Recipe::map(d, move |d| if d < 0 { d + (1 << w) } else { d }));
    let terms = vec![same(system, 1, d), same(system, 1 << w, z), same(system, -1, lifted)];
    vanish(system, &shape, terms, 0);
    Ok(z)
}
