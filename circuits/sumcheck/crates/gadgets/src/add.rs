// SPDX-License-Identifier: MIT OR Apache-2.0
//! add: sum of a_i * x_i, broadcast: linear in its operands. Rule 66.

use crate::affine::{Sum, by_channel, channel, hull, multipliers, offsets};
use crate::lowering::{Failure, Lowering};
use crate::requantise::requantise;
use program::Operator;
use relation::{Group, LinearTerm, TensorId, bits};

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    let coefficients = operator.nested("coefficients")?;
    let form = operator.requantise.as_ref();
    let (multiplier, offset) = (multipliers(form), offsets(form));
    let shape = lowering.batched(&operator.output.shape);
    let channels = coefficients.iter().map(Vec::len).chain([multiplier.len(), offset.len()]).max().unwrap_or(1);
    let mut sums: Vec<(i128, i128)> = (0..channels).map(|c| [channel(&offset, c).into(); 2].into()).collect();
    let mut terms = Vec::new();
    for (place, own) in coefficients.iter().enumerate() {
        let (source, from) = lowering.broadcast(operator, place, shape.len())?;
        let count = own.len().max(multiplier.len());
        let scaled: Vec<i64> = (0..count).map(|c| channel(own, c) * channel(&multiplier, c)).collect();
        let (low, high) = (i128::from(lowering.system.tensors[source].low), i128::from(lowering.system.tensors[source].high));
        for (c, (least, most)) in sums.iter_mut().enumerate() {
            let ends = [low, high].map(|end| end * i128::from(channel(&scaled, c)));
            (*least, *most) = (*least + ends[0].min(ends[1]), *most + ends[0].max(ends[1]));
        }
        let (coefficient, groups) = by_channel(broadcast(&shape, &from), &scaled);
        let order = (0..groups.len()).collect();
        terms.push(LinearTerm { coefficient, source, groups, order });
    }
    let ends = hull(sums.iter().flat_map(|(low, high)| [*low, *high]).chain([0]))?;
    requantise(&mut lowering.system, Sum { shape, terms, offset, ends }, form)
}

/// How an operand's axes lie under the result's, from the last one.
pub(crate) fn broadcast(shape: &[usize], from: &[usize]) -> Vec<Group> {
    let missing = shape.len() - from.len();
    let group = |(axis, size): (usize, &usize)| match axis.checked_sub(missing).map(|own| from[own]) {
        Some(own) if own == *size => Group::Same(bits(*size)),
        _ => Group::Repeat(bits(*size)),
    };
    shape.iter().enumerate().map(group).collect()
}
