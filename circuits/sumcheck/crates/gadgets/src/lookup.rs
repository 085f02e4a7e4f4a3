// SPDX-License-Identifier: MIT OR Apache-2.0
//! lookup: table[x - base], or by mantissa. Rule 67.
//!
//! Where padding leaves the table, its ends are repeated: what is at valid positions never reads them.
//!
//! By mantissa an entry serves all x of [first, first + width]: x = first + r and width = r + slack, r and slack at least 0, in limbs, and
//! (position, first, width, entry) stand side by side in the table. No two entries share an x.

use crate::affine::{same, virtual_sum};
use crate::lowering::{Failure, Lowering};
use crate::requantise::TABLE;
use program::Operator;
use relation::{Column, Recipe, System, Table, TensorId, bits};

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    let (base, mantissa) = (operator.integer("base")?, operator.integer("mantissa")?);
    let entries = lowering.read(operator, 1)?.constant.ok_or_else(|| Failure("its table is no constant".to_owned()))?.to_vec();
    let (x, shape) = lowering.tensor(operator, 0)?;
    let system = &mut lowering.system;
    if mantissa != 0 && system.tensors[x].high >> mantissa != 0 {
        return by_mantissa(system, x, &shape, mantissa, entries);
    }
    let (low, high) = (system.tensors[x].low.min(base), system.tensors[x].high.max(base + entries.len() as i64 - 1));
    let size = size((low, high))?;
    let entry = move |x: i64| clamped(&entries, x - base);
    let values: Vec<i64> = (0..1 << size).map(|i| entry(low + i)).collect();
    let y = system.commit(&shape, ends(&values), Recipe::map(x, entry));
    let column = system.constant(&[1 << size], values);
    let keys = Column::Clip { start: low, low, high: low + (1 << size) - 1 };
    system.lookup(Table { bits: size, columns: vec![keys, Column::Values(column)] }, vec![x, y]);
    Ok(y)
}

fn by_mantissa(system: &mut System, x: TensorId, shape: &[usize], m: i64, entries: Vec<i64>) -> Result<TensorId, Failure> {
    let (low, high) = (system.tensors[x].low, system.tensors[x].high);
    let (first, last) = (position(m, low), position(m, high));
    let size = size((first, last))?;
    let served = move |p: i64| match span(m, p) {
        (start, width) if p == first => (start.min(low), width + start - start.min(low)), // what padding holds below it
        others => others,
    };
    let column = |system: &mut System, of: &dyn Fn(i64) -> i64| {
        let values: Vec<i64> = (0..1 << size).map(|i| of((first + i).min(last))).collect();
        let ends = ends(&values);
        (Column::Values(system.constant(&[1 << size], values)), ends)
    };
    let (starts, _) = column(system, &|p| served(p).0);
    let (widths, (_, widest)) = column(system, &|p| served(p).1);
    let (values, reach) = column(system, &|p| clamped(&entries, p));

    let p = system.commit(shape, (first, last), Recipe::map(x, move |x| position(m, x)));
    let r = system.commit_natural(shape, widest, Recipe::map(x, move |x| x - served(position(m, x)).0));
    let left = move |x: i64| {
        let (start, width) = served(position(m, x));
        start + width - x
    };
    let slack = system.commit_natural(shape, widest, Recipe::map(x, left));
    let y = system.commit(shape, reach, Recipe::map(x, move |x| clamped(&entries, position(m, x))));
    let terms = vec![same(system, 1, x), same(system, -1, r)];
    let start = virtual_sum(system, shape, (low - widest, high), terms, 0);
    let terms = vec![same(system, 1, r), same(system, 1, slack)];
    let width = virtual_sum(system, shape, (0, 2 * widest), terms, 0);
    let keys = Column::Clip { start: first, low: first, high: last };
    system.lookup(Table { bits: size, columns: vec![keys, starts, widths, values] }, vec![p, start, width, y]);
    Ok(y)
}

/// Where x stands: itself below 2^m, and above it 2^m entries for each doubling. Negative x, which padding may hold, stand at 0.
fn position(m: i64, x: i64) -> i64 {
    if x >> m <= 0 {
        return x.max(0);
    }
    let shift = i64::from(x.ilog2()) - m;
    ((shift + 1) << m) + (x >> shift) - (1 << m)
}

/// The least x that stands at a position, and how many more do.
fn span(m: i64, p: i64) -> (i64, i64) {
    let (octave, rest) = (p >> m, p & ((1 << m) - 1));
    if octave == 0 { (p, 0) } else { (((1 << m) + rest) << (octave - 1), (1 << (octave - 1)) - 1) }
}

/// log2 of a table with a row for each integer between both.
fn size((low, high): (i64, i64)) -> Result<usize, Failure> {
    if high - low >= TABLE {
        return Err(Failure(format!("x spans [{low}, {high}], and a table has at most {TABLE} entries")));
    }
    Ok(bits((high - low + 1) as usize))
}

fn clamped(entries: &[i64], place: i64) -> i64 {
    entries[place.clamp(0, entries.len() as i64 - 1) as usize]
}

fn ends(values: &[i64]) -> (i64, i64) {
    (values.iter().copied().min().unwrap_or(0), values.iter().copied().max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_follow_each_other_and_hold_what_stands_there() {
        for m in 1..5 {
            let mut next = 0;
            for p in 0..20 << m {
                let (start, width) = span(m, p);
                assert_eq!(start, next);
                next = start + width + 1;
                assert_eq!([start, start + width].map(|x| position(m, x)), [p; 2]);
            }
        }
        assert_eq!([-7, 0].map(|x| position(3, x)), [0; 2]);
    }
}
