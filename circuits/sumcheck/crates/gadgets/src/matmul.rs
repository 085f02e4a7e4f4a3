// SPDX-License-Identifier: MIT OR Apache-2.0
//! matmul: sum over k of (x - x_zero)(w - w_zero). Rule 63.
//!
//! Constant w [N, K]: multipliers are folded into the key's W(n, k) = (w - w_zero) * multiplier(n), zero in the padding; x_zero times its
//! sum over k is folded into the offset, so padded rows are rows like any other. If x is a lower tensor whose entries are only moved along k
//! (a flatten), the key's weights are moved instead, and the lower tensor is read. Two activations: one multiplier, and the sum
//! over k stops where the axis does.

use crate::affine::{Sum, channel, hull, multipliers, offsets, reach};
use crate::lowering::{Failure, Lowering, Read, padded};
use crate::requantise::requantise;
use program::Operator;
use relation::{Form, Group, Label, LinearTerm, Operand, Product, System, TensorId, bits};

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    let w = lowering.read(operator, 1)?;
    let sum = match (w.constant, w.shape) {
        (Some(values), [n, k]) => by_constant(lowering, operator, values, *n, *k)?,
        _ => by_tensor(lowering, operator)?,
    };
    requantise(&mut lowering.system, sum, operator.requantise.as_ref())
}

fn by_constant(lowering: &mut Lowering, operator: &Operator, w: &[i64], n: usize, k: usize) -> Result<Sum, Failure> {
    let (x_zero, w_zero) = (operator.integer("x_zero")?, operator.integer("w_zero")?);
    let (x, shape) = lowering.tensor(operator, 0)?;
    let x = lowering.system.flat(x);
    let form = operator.requantise.as_ref();
    let (multiplier, offset) = (multipliers(form), offsets(form));
    let scaled: Vec<i64> = w.iter().enumerate().map(|(i, w)| (w - w_zero) * channel(&multiplier, i / k)).collect();
    let moved = |(n, row): (usize, &[i64])| channel(&offset, n) - x_zero * row.iter().sum::<i64>();
    let offset: Vec<i64> = scaled.chunks(k).enumerate().map(moved).collect();
    let (low, high) = (lowering.system.tensors[x].low.into(), lowering.system.tensors[x].high.into());
    let ends =
        scaled.chunks(k).zip(&offset).flat_map(|(row, offset)| weighed(row, low, high).map(|end| end + i128::from(*offset)));
    let ends = hull(ends.chain([0]))?;
    let rows: usize = shape.iter().take(shape.len() - 1).map(|size| bits(*size)).sum();
    let (x, k, scaled) = match unmoved(&lowering.system, x, rows, k) {
        Some((source, size, pairs)) => (source, size, moved_back(&scaled, k, size, pairs)),
        None => (x, k, scaled),
    };
    let weights = lowering.system.constant(&[n, k], padded(&[n, k], &scaled));
    let label = |bits: usize| Label { bits, size: 1 << bits };
    let product = Product {
        labels: vec![label(rows), label(bits(k)), label(bits(n))],
        out: vec![0, 2],
        left: Operand { tensor: x, zero: 0, labels: vec![0, 1] },
        right: Operand { tensor: weights, zero: 0, labels: vec![2, 1] },
    };
    let shape = lowering.batched(&operator.output.shape);
    let product = lowering.system.product(&shape, ends, product);
    Ok(Sum { shape, terms: vec![LinearTerm::same(1, product, rows + bits(n))], offset, ends })
}

/// The most a key's weights may grow by, log2, for a move that need not be proved.
const GROWTH: usize = 1;

/// (place in one tensor, place in another) of each entry that is moved.
type Moves<'a> = &'a [(u32, u32)];

/// The tensor behind x, if x only moves its entries along the last axis: its size there, and (place in x, place in it) of each.
fn unmoved(system: &System, x: TensorId, rows: usize, k: usize) -> Option<(TensorId, usize, Moves<'_>)> {
    let Form::Linear(linear) = &system.tensors[x].form else { return None };
    let ([term], 0, 0) = (&linear.terms[..], linear.offset, linear.shift) else { return None };
    let (Group::Map { out, input, pairs }, kept) = term.groups.split_last()? else { return None };
    let same = kept.iter().map(|group| if let Group::Same(bits) = group { Some(*bits) } else { None }).sum::<Option<usize>>();
    let once =
        |place: fn(&(u32, u32)) -> u32| pairs.iter().map(place).collect::<std::collections::HashSet<_>>().len() == pairs.len();
    let in_order = term.order.iter().copied().eq(0..term.groups.len());
    let fits = same == Some(rows) && *out == bits(k) && *input <= bits(k) + GROWTH && system.is_flat(term.source);
    (term.coefficient == 1 && in_order && fits && once(|pair| pair.0) && once(|pair| pair.1)).then_some((
        term.source,
        1 << input,
        pairs,
    ))
}

/// Rows of k weights as rows of `size`, each where the tensor behind x has what it weighs.
fn moved_back(weights: &[i64], k: usize, size: usize, pairs: &[(u32, u32)]) -> Vec<i64> {
    let mut moved = vec![0; weights.len() / k * size];
    for (from, to) in weights.chunks(k).zip(moved.chunks_mut(size)) {
        pairs.iter().filter_map(|(o, i)| Some((*from.get(*o as usize)?, *i as usize))).for_each(|(w, i)| to[i] = w);
    }
    moved
}

/// Least and greatest of sum of w * x over x in [low, high].
pub(crate) fn weighed(row: &[i64], low: i128, high: i128) -> [i128; 2] {
    row.iter().fold([0, 0], |[least, most], w| {
        let w = i128::from(*w);
        [least + (w * low).min(w * high), most + (w * low).max(w * high)]
    })
}

fn by_tensor(lowering: &mut Lowering, operator: &Operator) -> Result<Sum, Failure> {
    let (x_zero, y_zero) = (operator.integer("x_zero")?, operator.integer("w_zero")?);
    let (read_x, read_y) = (lowering.read(operator, 0)?, lowering.read(operator, 1)?);
    let ([before @ .., k], [batches @ .., n, _]) = (read_x.shape, read_y.shape) else {
        return Err(Failure("a matmul of scalars".to_owned()));
    };
    let ((x, _), (y, _)) = (lowering.tensor(operator, 0)?, lowering.tensor(operator, 1)?);
    let (x, y) = (lowering.system.flat(x), lowering.system.flat(y));
    let shape = lowering.batched(&operator.output.shape);
    let of = |sizes: &[usize]| sizes.iter().map(|size| bits(*size)).sum::<usize>();
    let (own, rows) = (of(batches), of(before.get(batches.len()..).unwrap_or(&[])));
    // 0: inputs run at once, 1: the program's batches, 2: rows, 3: columns, 4: terms
    let mut labels: Vec<Label> =
        [bits(lowering.batch), own, rows, bits(*n)].iter().map(|bits| Label { bits: *bits, size: 1 << bits }).collect();
    labels.push(Label { bits: bits(*k), size: *k });
    let of_inputs = |read: &Read, own: &[usize]| [if read.tensor.is_some() { &[0][..] } else { &[] }, own].concat();
    let product = Product {
        labels,
        out: vec![0, 1, 2, 3],
        left: Operand { tensor: x, zero: x_zero, labels: of_inputs(&read_x, &[1, 2, 4]) },
        right: Operand {
            tensor: y,
            zero: y_zero,
            labels: of_inputs(&read_y, if batches.is_empty() { &[3, 4] } else { &[1, 3, 4] }),
        },
    };
    let ends = |id: TensorId, zero: i64| {
        let tensor = &lowering.system.tensors[id];
        [tensor.low - zero, tensor.high - zero].map(i128::from)
    };
    let corners = ends(x, x_zero).into_iter().flat_map(|a| ends(y, y_zero).map(|b| a * b * *k as i128));
    let (low, high) = hull(corners)?;
    let cube: usize = shape.iter().map(|size| bits(*size)).sum();
    let product = lowering.system.product(&shape, (low, high), product);
    let form = operator.requantise.as_ref();
    let (coefficient, groups) =
        crate::affine::by_channel(vec![Group::Same(cube - bits(*n)), Group::Same(bits(*n))], &multipliers(form));
    let terms = vec![LinearTerm { coefficient, source: product, groups, order: vec![0, 1] }];
    Ok(Sum { shape, terms, offset: offsets(form), ends: reach((low.into(), high.into()), form)? })
}
