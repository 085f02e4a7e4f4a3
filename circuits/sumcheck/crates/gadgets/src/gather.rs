// SPDX-License-Identifier: MIT OR Apache-2.0
//! gather: rows by a bounded index. Rule 67.
//!
//! (index * entries of a row + place in the row, value) is looked up in the constant, flattened. Where the indices are the constant,
//! whatever is gathered from, it is a static map: linear.

use crate::affine::virtual_sum;
use crate::lowering::{Failure, Lowering, cube_index, padded};
use crate::requantise::TABLE;
use program::Operator;
use relation::{Column, Group, LinearTerm, Recipe, Table, TensorId, bits};

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    if let Some(indices) = lowering.read(operator, 1)?.constant {
        return by_constant(lowering, operator, indices);
    }
    let data = lowering.read(operator, 0)?;
    let Some(values) = data.constant else {
        return Err(Failure("it gathers from a tensor of the trace, which has no gadget yet".to_owned()));
    };
    let ([rows, row @ ..], (index, _)) = (data.shape, lowering.tensor(operator, 1)?) else {
        return Err(Failure("a scalar has no rows".to_owned()));
    };
    let shape = lowering.batched(&operator.output.shape);
    let system = &mut lowering.system;
    let (own, indices): (usize, usize) = (row.iter().map(|size| bits(*size)).sum(), system.tensors[index].bits());
    let size = bits(*rows) + own;
    if 1 << size > TABLE || system.tensors[index].low < 0 || system.tensors[index].high as usize >> bits(*rows) > 0 {
        return Err(Failure(format!("{rows} rows of 2^{own} entries, and a table has at most {TABLE}")));
    }
    let entries = padded(data.shape, values);
    let ends = (entries.iter().copied().min().unwrap_or(0), entries.iter().copied().max().unwrap_or(0));
    let column = system.constant(&[1 << size], entries.clone());
    let places = system.constant(&[1 << own], (0..1 << own).collect());
    let two = |coefficient: i64, source: TensorId, groups: [Group; 2]| LinearTerm {
        coefficient,
        source,
        groups: groups.to_vec(),
        order: vec![0, 1],
    };
    let terms = vec![
        two(1 << own, index, [Group::Same(indices), Group::Repeat(own)]),
        two(1, places, [Group::Repeat(indices), Group::Same(own)]),
    ];
    let key = virtual_sum(system, &shape, (0, (1 << size) - 1), terms, 0);
    let y = system.commit(&shape, ends, Recipe::map(key, move |key| entries[key as usize]));
    let keys = Column::Clip { start: 0, low: 0, high: (1 << size) - 1 };
    system.lookup(Table { bits: size, columns: vec![keys, Column::Constant(column)] }, vec![key, y]);
    Ok(y)
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
