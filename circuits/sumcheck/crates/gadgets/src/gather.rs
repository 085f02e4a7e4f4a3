// SPDX-License-Identifier: MIT OR Apache-2.0
//! gather: rows by a bounded index. Rule 67.
//!
//! (index * entries of a row + place in the row, value) is looked up in what is gathered from, flattened: a constant, or a tensor of the
//! trace with all runs of a batch, where the run's number leads the key. Where the indices are the constant it is a static map: linear.

use crate::affine::virtual_sum;
use crate::lowering::{Failure, Lowering, cube_index, padded};
use crate::requantise::TABLE;
use program::Operator;
use relation::{Column, Group, LinearTerm, Recipe, System, Table, TensorId, bits};
use std::sync::Arc;

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    if let Some(indices) = lowering.read(operator, 1)?.constant {
        return by_constant(lowering, operator, indices);
    }
    let data = lowering.read(operator, 0)?;
    let (constant, [rows, row @ ..]) = (data.constant, data.shape) else {
        return Err(Failure("a scalar has no rows".to_owned()));
    };
    let (index, _) = lowering.tensor(operator, 1)?;
    let (own, rows) = (row.iter().map(|size| bits(*size)).sum::<usize>(), *rows);
    let (runs, size) = (if constant.is_none() { bits(lowering.batch) } else { 0 }, bits(rows) + own);
    if 1 << (runs + size) > TABLE
        || lowering.system.tensors[index].low < 0
        || lowering.system.tensors[index].high as usize >> bits(rows) > 0
    {
        return Err(Failure(format!("2^{runs} times {rows} rows of 2^{own} entries, and a table has at most {TABLE}")));
    }
    let from = match constant {
        Some(values) => {
            let values = padded(data.shape, values);
            lowering.system.constant(&[1 << size], values)
        }
        None => {
            let (from, _) = lowering.tensor(operator, 0)?;
            lowering.system.flat(from)
        }
    };
    let shape = lowering.batched(&operator.output.shape);
    let system = &mut lowering.system;
    let index = system.flat(index);
    let key = keys(system, &shape, index, [runs, size, own]);
    let compute = |cubes: &[&[i64]]| cubes[0].iter().map(|key| cubes[1][*key as usize]).collect();
    let ends = (system.tensors[from].low, system.tensors[from].high);
    let y = system.commit(&shape, ends, Recipe { operands: vec![key, from], compute: Arc::new(compute) });
    let size = runs + size;
    let keys = Column::Clip { start: 0, low: 0, high: (1 << size) - 1 };
    system.lookup(Table { bits: size, columns: vec![keys, Column::Values(from)] }, vec![key, y]);
    Ok(y)
}

/// Where each value stands among 2^runs tables of 2^size entries, 2^own of them a row.
fn keys(system: &mut System, shape: &[usize], index: TensorId, [runs, size, own]: [usize; 3]) -> TensorId {
    let (cube, outer) = (system.tensors[index].bits() + own, system.tensors[index].bits());
    let two = |coefficient: i64, source: TensorId, groups: [Group; 2]| LinearTerm {
        coefficient,
        source,
        groups: groups.to_vec(),
        order: vec![0, 1],
    };
    let count = |system: &mut System, bits: usize| system.constant(&[1 << bits], (0..1 << bits).collect());
    let places = count(system, own);
    let mut terms = vec![
        two(1 << own, index, [Group::Same(outer), Group::Repeat(own)]),
        two(1, places, [Group::Repeat(outer), Group::Same(own)]),
    ];
    if runs > 0 {
        let numbers = count(system, runs);
        terms.push(two(1 << size, numbers, [Group::Same(runs), Group::Repeat(cube - runs)]));
    }
    virtual_sum(system, shape, (0, (1 << (runs + size)) - 1), terms, 0)
}

/// Rows that the program names itself.
fn by_constant(lowering: &mut Lowering, operator: &Operator, indices: &[i64]) -> Result<TensorId, Failure> {
    let places = lowering.read(operator, 1)?.shape.to_vec();
    let (data, from) = lowering.tensor(operator, 0)?;
    let batched = usize::from(lowering.read(operator, 0)?.constant.is_none());
    let shape = lowering.batched(&operator.output.shape);
    let source = lowering.system.flat(data);
    let rows = *from.get(batched).ok_or_else(|| Failure("a scalar has no rows".to_owned()))?;
    let pairs = indices.iter().enumerate().map(|(o, i)| (cube_index(&places, o) as u32, *i as u32)).collect();
    let out = places.iter().map(|size| bits(*size)).sum();
    let inputs = bits(lowering.batch);
    let row: usize = from.iter().skip(batched + 1).map(|size| bits(*size)).sum();
    let first = if batched == 1 { Group::Same(inputs) } else { Group::Repeat(inputs) };
    let groups = vec![first, Group::Map { out, input: bits(rows), pairs }, Group::Same(row)];
    let ends = (lowering.system.tensors[source].low.min(0), lowering.system.tensors[source].high.max(0));
    let term = LinearTerm { coefficient: 1, source, groups, order: vec![0, 1, 2] };
    Ok(virtual_sum(&mut lowering.system, &shape, ends, vec![term], 0))
}
