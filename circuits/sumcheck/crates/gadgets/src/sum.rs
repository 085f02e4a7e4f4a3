// SPDX-License-Identifier: MIT OR Apache-2.0
//! sum: over the innermost axes: linear. Rule 66.

use crate::affine::{Sum, by_channel, multipliers, offsets, reach};
use crate::lowering::{Failure, Lowering};
use crate::requantise::requantise;
use program::Operator;
use relation::{Group, LinearTerm, TensorId, bits};

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    let (source, from) = lowering.tensor(operator, 0)?;
    let kept = from.len() - operator.integer("axes")? as usize;
    let shape = lowering.batched(&operator.output.shape);
    let groups = from.iter().enumerate().map(|(axis, size)| match axis < kept {
        true => Group::Same(bits(*size)),
        false => Group::Sum(bits(*size), *size),
    });
    let form = operator.requantise.as_ref();
    let (coefficient, groups) = by_channel(groups.collect(), &multipliers(form));
    let count = from[kept..].iter().product::<usize>() as i128;
    let tensor = &lowering.system.tensors[source];
    let ends = reach((count * i128::from(tensor.low), count * i128::from(tensor.high)), form)?;
    let order = (0..groups.len()).collect();
    let terms = vec![LinearTerm { coefficient, source, groups, order }];
    requantise(&mut lowering.system, Sum { shape, terms, offset: offsets(form), ends }, form)
}
