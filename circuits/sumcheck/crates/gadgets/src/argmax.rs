// SPDX-License-Identifier: MIT OR Apache-2.0
//! argmax: the first index of the maximum. Rule 67.
//!
//! Bits e_i, one of them 1; D_i = M - x_i at least 0; sum of e_i D_i = 0, so M is the maximum, at the index marked; D_i - 1 + (e_0 + … + e_i)
//! at least 0, so nothing before it is. The axis is filled up by its last entry, which is never first.

use crate::affine::{hull, same, vanish, virtual_sum};
use crate::lowering::{Failure, Lowering};
use program::Operator;
use relation::{Group, Label, LinearTerm, Operand, Product, Recipe, TensorId, bits};
use std::sync::Arc;

/// The prefix sums take n^2 / 2 entries.
const LONGEST: usize = 1 << 10;

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    let (x, mut shape) = lowering.tensor(operator, 0)?;
    let kept = lowering.batched(&operator.output.shape);
    let system = &mut lowering.system;
    let n = shape.pop().ok_or_else(|| Failure("it needs an axis".to_owned()))?;
    let (own, size) = (bits(n), n.next_power_of_two());
    if size > LONGEST {
        return Err(Failure(format!("an axis of {n}, and {LONGEST} is the most")));
    }
    shape.push(size);
    let rows: usize = kept.iter().map(|size| bits(*size)).sum();
    let term = |coefficient: i64, source: TensorId, last: Group| LinearTerm {
        coefficient,
        source,
        groups: vec![Group::Same(rows), last],
        order: vec![0, 1],
    };
    let map = |pairs: Vec<(u32, u32)>| Group::Map { out: own, input: own, pairs };
    let filled = map((0..size as u32).map(|i| (i, i.min(n as u32 - 1))).collect());
    let (low, high) = (system.tensors[x].low, system.tensors[x].high);
    let x = virtual_sum(system, &shape, (low, high), vec![term(1, x, filled)], 0);
    let (spread, _) = hull([i128::from(high) - i128::from(low)].into_iter())?;

    let rowwise = |of: fn(&[i64]) -> Vec<i64>| Recipe {
        operands: vec![x],
        compute: Arc::new(move |cubes: &[&[i64]]| cubes[0].chunks(size).flat_map(of).collect()),
    };
    let e = system.commit_range(
        &shape,
        1,
        rowwise(|row| {
            let at = first_of(row);
            (0..row.len()).map(|i| i64::from(i == at)).collect()
        }),
    );
    let d = system.commit_natural(
        &shape,
        spread.max(1),
        rowwise(|row| {
            let most = row[first_of(row)];
            row.iter().map(|x| most - x).collect()
        }),
    );
    let ahead = system.commit_natural(
        &shape,
        spread.max(1),
        rowwise(|row| {
            let at = first_of(row);
            row.iter().enumerate().map(|(i, x)| row[at] - x - i64::from(i < at)).collect()
        }),
    );
    let most = system.commit(
        &kept,
        (low, high),
        Recipe {
            operands: vec![x],
            compute: Arc::new(move |cubes: &[&[i64]]| cubes[0].chunks(size).map(|row| row[first_of(row)]).collect()),
        },
    );
    let terms = vec![term(1, most, Group::Repeat(own)), same(system, -1, x), same(system, -1, d)];
    vanish(system, &shape, terms, 0);
    vanish(system, &kept, vec![term(1, e, Group::Sum(own, size))], -1);
    let (e, d) = (system.flat(e), system.flat(d));
    let product = Product {
        labels: vec![Label { bits: rows, size: 1 << rows }, Label { bits: own, size }],
        out: vec![0],
        left: Operand { tensor: e, zero: 0, labels: vec![0, 1] },
        right: Operand { tensor: d, zero: 0, labels: vec![0, 1] },
    };
    let marked = system.product(&kept, (0, 0), product);
    system.zero(marked);
    let before = map((0..size as u32).flat_map(|i| (0..=i).map(move |j| (i, j))).collect());
    let terms = vec![same(system, 1, d), term(1, e, before), same(system, -1, ahead)];
    vanish(system, &shape, terms, -1);
    let index = term(1, e, Group::Dot(own, (0..size as i64).collect()));
    Ok(virtual_sum(system, &kept, (0, size as i64 - 1), vec![index], 0))
}

/// The first index of the maximum of a row.
fn first_of(row: &[i64]) -> usize {
    row.iter().enumerate().rev().max_by_key(|(_, value)| **value).map_or(0, |(i, _)| i)
}
