// SPDX-License-Identifier: MIT OR Apache-2.0
//! divide: y = floor((a * scale + floor(b / 2)) / b). Rule 67.
//!
//! b = 2h + bit, a * scale + h = y * b + rem, rem in [0, b - 1]; y, h, rem and b - 1 - rem in limbs. In the padding, where b may be 0, it
//! is raised by 1.

use crate::add::broadcast;
use crate::affine::{hull, same, vanish, virtual_sum};
use crate::lowering::{Failure, Lowering};
use crate::mul::pairwise;
use program::Operator;
use relation::{Group, LinearTerm, Recipe, System, TensorId, bits};

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    let scale = operator.integer("scale")?;
    let shape = lowering.batched(&operator.output.shape);
    let ((a, a_shape), (b, b_shape)) =
        (lowering.broadcast(operator, 0, shape.len())?, lowering.broadcast(operator, 1, shape.len())?);
    let system = &mut lowering.system;
    let b = divisor(system, b, &b_shape)?;
    let b = system.flat(b);
    let (b_low, b_high) = (system.tensors[b].low, system.tensors[b].high);
    let h = system.commit_natural(&b_shape, (b_high / 2).max(1), Recipe::map(b, |b| b / 2));
    let bit = system.commit_range(&b_shape, 1, Recipe::map(b, |b| b % 2));
    let terms = vec![same(system, 1, b), same(system, -2, h), same(system, -1, bit)];
    vanish(system, &b_shape, terms, 0);

    let spread = |system: &mut System, source: TensorId, from: &[usize], coefficient: i64| {
        let groups = broadcast(&shape, from);
        let term = LinearTerm { coefficient, source, order: (0..groups.len()).collect(), groups };
        let ends = hull(
            [system.tensors[source].low, system.tensors[source].high]
                .map(|end| i128::from(end) * i128::from(coefficient))
                .into_iter(),
        )?;
        Ok::<TensorId, Failure>(virtual_sum(system, &shape, (ends.0.min(ends.1), ends.0.max(ends.1)), vec![term], 0))
    };
    let (scaled, wide) = (spread(system, a, &a_shape, scale)?, spread(system, b, &b_shape, 1)?);
    let half = spread(system, h, &b_shape, 1)?;
    let of = |a: i64, b: i64| (a + b / 2).div_euclid(b);
    let corners = [system.tensors[scaled].low, system.tensors[scaled].high].map(|a| [of(a, b_low), of(a, b_high)]);
    let (low, high) = corners.concat().into_iter().fold((0, 0), |(low, high), y| (y.min(low), y.max(high)));
    let quotient = Recipe::pointwise(vec![scaled, wide], move |v| (v[0] + v[1] / 2).div_euclid(v[1]) - low + 1);
    let above = system.commit_natural(&shape, high - low + 2, quotient);
    let y = virtual_sum(system, &shape, (low - 1, high + 1), vec![same(system, 1, above)], low - 1);
    let remainder = |operands: Vec<TensorId>, of: fn(i64, i64) -> i64| {
        Recipe::pointwise(operands, move |v| of((v[0] + v[1] / 2).rem_euclid(v[1]), v[1]))
    };
    let rem = system.commit_natural(&shape, b_high, remainder(vec![scaled, wide], |rem, _| rem));
    let slack = system.commit_natural(&shape, b_high, remainder(vec![scaled, wide], |rem, b| b - 1 - rem));
    let (product, _) = pairwise(system, &shape, (y, &shape, 0), (b, &b_shape, 0));
    let terms = vec![same(system, 1, scaled), same(system, 1, half), same(system, -1, product), same(system, -1, rem)];
    vanish(system, &shape, terms, 0);
    let terms = vec![same(system, 1, wide), same(system, -1, rem), same(system, -1, slack)];
    vanish(system, &shape, terms, -1);
    Ok(y)
}

/// b, or b + 1 in the padding if it can be 0 there.
fn divisor(system: &mut System, b: TensorId, shape: &[usize]) -> Result<TensorId, Failure> {
    let (low, high) = (system.tensors[b].low, system.tensors[b].high);
    if low >= 1 {
        return Ok(b);
    }
    if low < 0 {
        return Err(Failure("its divisor's padding can be negative".to_owned()));
    }
    let one = system.constant(&[1], vec![1]);
    let groups: Vec<Group> = shape.iter().map(|size| Group::Spread(bits(*size), vec![1; *size])).collect();
    let valid = LinearTerm { coefficient: -1, source: one, order: (0..groups.len()).collect(), groups };
    let terms = vec![same(system, 1, b), valid];
    Ok(virtual_sum(system, shape, (1, high + 1), terms, 1))
}
