// SPDX-License-Identifier: MIT OR Apache-2.0
//! mul: (x - x_zero)(y - y_zero), broadcast. Rule 66.

use crate::affine::{Sum, by_channel, multipliers, offsets, reach};
use crate::lowering::{Failure, Lowering};
use crate::requantise::requantise;
use program::Operator;
use relation::{Group, Label, LinearTerm, Operand, Product, System, TensorId, bits};

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    let zeros = (operator.integer("x_zero")?, operator.integer("y_zero")?);
    let shape = lowering.batched(&operator.output.shape);
    let ((x, x_shape), (y, y_shape)) =
        (lowering.broadcast(operator, 0, shape.len())?, lowering.broadcast(operator, 1, shape.len())?);
    let (x, y) = (lowering.system.flat(x), lowering.system.flat(y));
    let (source, ends) = pairwise(&mut lowering.system, &shape, (x, &x_shape, zeros.0), (y, &y_shape, zeros.1));
    let form = operator.requantise.as_ref();
    let (coefficient, groups) = by_channel(shape.iter().map(|size| Group::Same(bits(*size))).collect(), &multipliers(form));
    let order = (0..groups.len()).collect();
    let terms = vec![LinearTerm { coefficient, source, groups, order }];
    let ends = reach(ends, form)?;
    requantise(&mut lowering.system, Sum { shape, terms, offset: offsets(form), ends }, form)
}

/// The product of two flat tensors that broadcast to `shape`, and what it can reach, 0 included.
pub(crate) fn pairwise(
    system: &mut System,
    shape: &[usize],
    (x, x_shape, x_zero): (TensorId, &[usize], i64),
    (y, y_shape, y_zero): (TensorId, &[usize], i64),
) -> (TensorId, (i128, i128)) {
    let labels = shape.iter().map(|size| Label { bits: bits(*size), size: 1 << bits(*size) }).collect();
    let over = |from: &[usize]| {
        let missing = shape.len() - from.len();
        (missing..shape.len()).filter(|axis| from[axis - missing] == shape[*axis]).collect::<Vec<usize>>()
    };
    let ends = |id: TensorId, zero: i64| [system.tensors[id].low, system.tensors[id].high].map(|end| i128::from(end - zero));
    let corners = ends(x, x_zero).into_iter().flat_map(|a| ends(y, y_zero).map(move |b| a * b));
    let (low, high) = corners.fold((0, 0), |(low, high), corner| (corner.min(low), corner.max(high)));
    let product = Product {
        labels,
        out: (0..shape.len()).collect(),
        left: Operand { tensor: x, zero: x_zero, labels: over(x_shape) },
        right: Operand { tensor: y, zero: y_zero, labels: over(y_shape) },
    };
    (system.product(shape, (0, 0), product), (low, high))
}
