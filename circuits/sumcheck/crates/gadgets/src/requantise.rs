// SPDX-License-Identifier: MIT OR Apache-2.0
//! y = clip(t >> shift, low, high), for a virtual t. Rule 60.
//!
//! r, the remainder, is committed and looked up in [0, 2^shift) exactly; so q = (t - r) / 2^shift is the floor, and virtual.
//! Narrow: (q, y) is looked up in the clip table; where nothing is clipped y is q, which is looked up with itself, for a q that is not an
//! integer may sum to one. Wide: q = y + a - b with a, b >= 0, y in [low, high], and both a * (high - y) and b * (y - low) zero.

use crate::affine::Sum;
use crate::lowering::Failure;
use program::Requantise;
use relation::{Label, Linear, LinearTerm, Operand, Product, Recipe, System, Table, TensorId};

/// Keys of a table at most.
pub(crate) const TABLE: i64 = 1 << 18;

/// Keys that any tensor may bring into a table of its own, however few its values are.
const SHORT: i64 = 1 << 14;

/// Writes the sum down, and what is made of it. Raw without a form.
pub(crate) fn requantise(system: &mut System, sum: Sum, form: Option<&Requantise>) -> Result<TensorId, Failure> {
    let t = sum.write(system);
    let Some(form) = form else { return Ok(t) };
    let q = shifted(system, t, form.shift);
    let (from, to) = (system.tensors[q].low, system.tensors[q].high);
    let unclipped = form.low <= from && to <= form.high;
    if unclipped && form.shift == 0 {
        return Ok(q);
    }
    let span = to.max(0) - from.min(0);
    let worth = SHORT.max(8 << system.tensors[q].bits()).min(TABLE);
    if span >= worth && !system.has_clipped(q, form.low, form.high) {
        return Ok(wide(system, q, form));
    }
    if unclipped {
        system.lookup_clipped((q, q), form.low, form.high);
        return Ok(q);
    }
    Ok(narrow(system, q, form))
}

/// t >> shift, as a virtual tensor.
pub(crate) fn shifted(system: &mut System, t: TensorId, shift: u32) -> TensorId {
    if shift == 0 {
        return t;
    }
    let (shape, cube) = (system.tensors[t].shape.clone(), system.tensors[t].bits());
    let ends = (system.tensors[t].low >> shift, system.tensors[t].high >> shift);
    let r = system.commit_range(&shape, shift, Recipe::map(t, move |value| value & ((1 << shift) - 1)));
    let terms = vec![LinearTerm::same(1, t, cube), LinearTerm::same(-1, r, cube)];
    system.linear(&shape, ends, Linear { terms, offset: 0, shift })
}

fn narrow(system: &mut System, q: TensorId, form: &Requantise) -> TensorId {
    let (low, high) = (form.low, form.high);
    let shape = system.tensors[q].shape.clone();
    let ends = (system.tensors[q].low.clamp(low, high), system.tensors[q].high.clamp(low, high));
    let y = system.commit(&shape, ends, Recipe::map(q, move |value| value.clamp(low, high)));
    system.lookup_clipped((q, y), low, high);
    y
}

fn wide(system: &mut System, q: TensorId, form: &Requantise) -> TensorId {
    let (shape, from, to) = (system.tensors[q].shape.clone(), system.tensors[q].low, system.tensors[q].high);
    let (low, high) = (from.clamp(form.low, form.high), to.clamp(form.low, form.high));
    let y = committed_within(system, &shape, (low, high), Recipe::map(q, move |value| value.clamp(low, high)));
    let cube = system.tensors[q].bits();
    let mut terms = vec![LinearTerm::same(1, q, cube), LinearTerm::same(-1, y, cube)];
    if to > high {
        let a = excess(system, y, high, to - high, Recipe::map(q, move |value| (value - high).max(0)));
        terms.push(LinearTerm::same(-1, a, cube));
    }
    if from < low {
        let b = excess(system, y, low, low - from, Recipe::map(q, move |value| (low - value).max(0)));
        terms.push(LinearTerm::same(1, b, cube));
    }
    let balance = system.linear(&shape, (0, 0), Linear { terms, offset: 0, shift: 0 });
    system.zero(balance);
    y
}

/// What exceeds an end: at least 0, and 0 unless y is that end.
fn excess(system: &mut System, y: TensorId, end: i64, most: i64, recipe: Recipe) -> TensorId {
    let shape = system.tensors[y].shape.clone();
    let excess = system.commit_natural(&shape, most, recipe);
    vanishing(system, (excess, 0), (y, end));
    excess
}

/// Demands (x - x0)(y - y0) = 0 everywhere, for two flat tensors of one cube.
pub(crate) fn vanishing(system: &mut System, (x, x0): (TensorId, i64), (y, y0): (TensorId, i64)) {
    let (shape, cube) = (system.tensors[x].shape.clone(), system.tensors[x].bits());
    let operand = |tensor: TensorId, zero: i64| Operand { tensor, zero, labels: vec![0] };
    let labels = vec![Label { bits: cube, size: 1 << cube }];
    let product = Product { labels, out: vec![0], left: operand(x, x0), right: operand(y, y0) };
    let zero = system.product(&shape, (0, 0), product);
    system.zero(zero);
}

/// A committed tensor, every value in [low, high] exactly.
pub(crate) fn committed_within(system: &mut System, shape: &[usize], (low, high): (i64, i64), recipe: Recipe) -> TensorId {
    if high - low < 1 << 16 {
        let y = system.commit(shape, (low, high), recipe);
        if high - low < SHORT {
            system.lookup(Table::range(low, high), vec![y]);
            return y;
        }
        for (sign, offset) in [(1, -low), (-1, high)] {
            let terms = vec![LinearTerm::same(sign, y, system.tensors[y].bits())];
            let distance = system.linear(shape, (0, high - low), Linear { terms, offset, shift: 0 });
            system.lookup(Table::range(0, 0xffff), vec![distance]);
        }
        return y;
    }
    let compute = recipe.compute.clone();
    let lifted = move |cubes: &[&[i64]]| compute(cubes).iter().map(|value| value - low).collect();
    let above = system.commit_natural(
        shape,
        high - low,
        Recipe { operands: recipe.operands.clone(), compute: std::sync::Arc::new(lifted) },
    );
    let cube = system.tensors[above].bits();
    let compute = recipe.compute;
    let slack = move |cubes: &[&[i64]]| compute(cubes).iter().map(|value| high - value).collect();
    let below =
        system.commit_natural(shape, high - low, Recipe { operands: recipe.operands, compute: std::sync::Arc::new(slack) });
    let terms = vec![LinearTerm::same(1, above, cube), LinearTerm::same(1, below, cube)];
    let balance = system.linear(shape, (0, 0), Linear { terms, offset: low - high, shift: 0 });
    system.zero(balance);
    system.linear(shape, (low, high), Linear { terms: vec![LinearTerm::same(1, above, cube)], offset: low, shift: 0 })
}

/// Bits of a number.
pub(crate) fn width(most: i64) -> u32 {
    64 - most.leading_zeros()
}
