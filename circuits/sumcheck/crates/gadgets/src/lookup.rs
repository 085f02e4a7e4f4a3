// SPDX-License-Identifier: MIT OR Apache-2.0
//! lookup: table[x - base]. Rule 67.
//!
//! Where padding leaves the table, its ends are repeated: what is at valid positions never reads them.

use crate::lowering::{Failure, Lowering};
use crate::requantise::TABLE;
use program::Operator;
use relation::{Column, Recipe, Table, TensorId, bits};

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    if operator.integer("mantissa")? != 0 {
        return Err(Failure("its table is by mantissa, which has no gadget yet".to_owned()));
    }
    let base = operator.integer("base")?;
    let entries = lowering.read(operator, 1)?.constant.ok_or_else(|| Failure("its table is no constant".to_owned()))?.to_vec();
    let (x, shape) = lowering.tensor(operator, 0)?;
    let system = &mut lowering.system;
    let (low, high) = (system.tensors[x].low.min(base), system.tensors[x].high.max(base + entries.len() as i64 - 1));
    if high - low >= TABLE {
        return Err(Failure(format!("x spans [{low}, {high}], and a table has at most {TABLE} entries")));
    }
    let size = bits((high - low + 1) as usize);
    let entry = move |x: i64| entries[(x - base).clamp(0, entries.len() as i64 - 1) as usize];
    let values: Vec<i64> = (0..1 << size).map(|i| entry(low + i)).collect();
    let ends = (values.iter().copied().min().unwrap_or(0), values.iter().copied().max().unwrap_or(0));
    let column = system.constant(&[1 << size], values);
    let keys = Column::Clip { start: low, low, high: low + (1 << size) - 1 };
    let y = system.commit(&shape, ends, Recipe::map(x, entry));
    system.lookup(Table { bits: size, columns: vec![keys, Column::Constant(column)] }, vec![x, y]);
    Ok(y)
}
