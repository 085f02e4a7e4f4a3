// SPDX-License-Identifier: MIT OR Apache-2.0
//! max: over the innermost axes, or over windows, one axis after the other and two values at a time.
//!
//! m = max(a, b) exactly if (a - b, m - b) is in the table of max(d, 0): one lookup and one committed value for each two, no product.
//! Rule 67 asks for a range check a candidate and their product; a 2x2 window takes three lookups here, not four and a product.

use crate::lowering::{Failure, Lowering};
use crate::requantise::{TABLE, vanishing};
use program::Operator;
use relation::{Group, Linear, LinearTerm, Recipe, System, TensorId, bits};

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    let (x, shape) = lowering.tensor(operator, 0)?;
    let x = lowering.system.flat(x);
    let axes = operator.integer("axes")? as usize;
    let system = &mut lowering.system;
    if axes > 0 {
        let (mut greatest, mut shape) = (x, shape);
        for _ in 0..axes {
            greatest = over_last(system, greatest, &mut shape);
        }
        return Ok(greatest);
    }
    let (kernel, strides) = (operator.sizes("kernel")?, operator.sizes("strides")?);
    let (pads, dilations) = (operator.sizes("pads")?, operator.sizes("dilations")?);
    let output = &operator.output.shape;
    let (mut greatest, mut shape) = (x, shape);
    for axis in (0..kernel.len()).rev() {
        let (from, to) = (shape[axis + 2], output[axis + 1]);
        shape[axis + 2] = to;
        // a tap in the padding reads the nearest entry of its window instead, which changes no maximum
        let seen = |o: usize, tap: usize| (o * strides[axis] + tap * dilations[axis]).saturating_sub(pads[axis]).min(from - 1);
        let taps: Vec<TensorId> = (0..kernel[axis])
            .map(|tap| along(system, greatest, (axis + 2, from), &shape, (0..to).map(|o| seen(o, tap)).collect()))
            .collect();
        greatest = of_all(system, &taps);
    }
    Ok(greatest)
}

/// Of pairs, then of pairs of those, until the last axis has one entry; then it has none.
fn over_last(system: &mut System, x: TensorId, shape: &mut Vec<usize>) -> TensorId {
    let (axis, mut greatest) = (shape.len() - 1, x);
    while shape[axis] > 1 {
        let from = shape[axis];
        shape[axis] = from.div_ceil(2);
        let read = |second: usize| (0..from.div_ceil(2)).map(|o| (2 * o + second).min(from - 1)).collect();
        let pair = [along(system, greatest, (axis, from), shape, read(0)), along(system, greatest, (axis, from), shape, read(1))];
        greatest = of_all(system, &pair);
    }
    shape.pop();
    greatest
}

/// x read along one axis of `from` entries: entry o of the result is entry `reads[o]`. A virtual tensor of that shape.
fn along(system: &mut System, source: TensorId, (axis, from): (usize, usize), shape: &[usize], reads: Vec<usize>) -> TensorId {
    let pairs = reads.iter().enumerate().map(|(o, i)| (o as u32, *i as u32)).collect();
    let map = Group::Map { out: bits(shape[axis]), input: bits(from), pairs };
    let groups: Vec<Group> = shape
        .iter()
        .enumerate()
        .map(|(place, size)| if place == axis { map.clone() } else { Group::Same(bits(*size)) })
        .collect();
    let order = (0..groups.len()).collect();
    let ends = (system.tensors[source].low.min(0), system.tensors[source].high.max(0));
    system.linear(shape, ends, Linear { terms: vec![LinearTerm { coefficient: 1, source, groups, order }], offset: 0, shift: 0 })
}

fn of_all(system: &mut System, candidates: &[TensorId]) -> TensorId {
    let mut greatest = candidates[0];
    for candidate in &candidates[1..] {
        greatest = of_two(system, greatest, *candidate);
    }
    greatest
}

/// max(a, b) of two flat tensors of one cube.
fn of_two(system: &mut System, a: TensorId, b: TensorId) -> TensorId {
    let (shape, cube) = (system.tensors[a].shape.clone(), system.tensors[a].bits());
    let (low, high) = (system.tensors[a].low.max(system.tensors[b].low), system.tensors[a].high.max(system.tensors[b].high));
    let spread = (system.tensors[a].low - system.tensors[b].high, system.tensors[a].high - system.tensors[b].low);
    let difference = minus(system, (a, b), spread, &shape, cube);
    if spread.1 - spread.0 >= TABLE {
        return by_parts(system, difference, b, (low, high));
    }
    let m = system.commit(&shape, (low, high), Recipe::pointwise(vec![a, b], |values| values[0].max(values[1])));
    let rise = minus(system, (m, b), (0, spread.1.max(0)), &shape, cube);
    system.lookup_clipped((difference, rise), 0, spread.1.max(0));
    m
}

fn minus(system: &mut System, (x, y): (TensorId, TensorId), ends: (i64, i64), shape: &[usize], cube: usize) -> TensorId {
    let terms = vec![LinearTerm::same(1, x, cube), LinearTerm::same(-1, y, cube)];
    system.linear(shape, ends, Linear { terms, offset: 0, shift: 0 })
}

/// b + max(d, 0) where d is wide: d = up - down, both at least 0 and their product 0.
fn by_parts(system: &mut System, d: TensorId, b: TensorId, ends: (i64, i64)) -> TensorId {
    let (shape, cube) = (system.tensors[d].shape.clone(), system.tensors[d].bits());
    let (low, high) = (system.tensors[d].low, system.tensors[d].high);
    let up = system.commit_natural(&shape, high.max(1), Recipe::map(d, |v| v.max(0)));
    let down = system.commit_natural(&shape, (-low).max(1), Recipe::map(d, |v| (-v).max(0)));
    let terms = vec![LinearTerm::same(1, d, cube), LinearTerm::same(-1, up, cube), LinearTerm::same(1, down, cube)];
    let balance = system.linear(&shape, (0, 0), Linear { terms, offset: 0, shift: 0 });
    system.zero(balance);
    vanishing(system, (up, 0), (down, 0));
    let terms = vec![LinearTerm::same(1, b, cube), LinearTerm::same(1, up, cube)];
    system.linear(&shape, ends, Linear { terms, offset: 0, shift: 0 })
}
