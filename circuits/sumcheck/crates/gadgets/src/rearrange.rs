// SPDX-License-Identifier: MIT OR Apache-2.0
//! rearrange: a static map of indices, an axis at a time: linear, nothing committed. Rule 66.
//!
//! Four shapes meet: the result's, the maps' (one entry an axis of the permuted view), the view's, the operand's. Neighbouring axes of
//! two of them that have as many entries belong together; what belongs together is one group, a list of (result, source) pairs.

use crate::lowering::{Failure, Lowering, cube_index, padded};
use program::Operator;
use relation::{Group, Linear, LinearTerm, TensorId, bits};

/// An operator's attributes, without the axis of inputs.
struct Rearrange {
    shape: Vec<usize>,
    view: Vec<usize>,
    permutation: Vec<usize>,
    maps: Vec<[i64; 4]>,
    axis: usize,
}

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    let maps =
        operator.nested("maps")?.into_iter().map(|m| m.try_into().map_err(|_| Failure("a map has four numbers".to_owned())));
    let own = Rearrange {
        shape: operator.sizes("shape")?,
        view: operator.sizes("view")?,
        permutation: operator.sizes("permutation")?,
        maps: maps.collect::<Result<_, _>>()?,
        axis: operator.integer("axis")? as usize,
    };
    let others: usize = own.view.iter().enumerate().filter(|(axis, _)| *axis != own.axis).map(|(_, size)| size).product();
    let (batch, fill) = (lowering.batch, operator.integer("fill")?);
    let (mut terms, mut begin, mut ends) = (Vec::new(), 0, (0, 0));
    for place in 0..operator.operands.len() {
        let shape = lowering.read(operator, place)?.shape.to_vec();
        let (mut source, from) = lowering.tensor(operator, place)?;
        let length = shape.iter().product::<usize>() / others;
        let (mut groups, mut order) = own.groups(&shape, begin, length);
        let bits_of_inputs = bits(batch);
        if groups.iter().any(|group| matches!(group, Group::Map { .. })) {
            source = lowering.system.flat(source); // weights that a product cannot cut into its own axes
        }
        groups.insert(0, if from.len() > shape.len() { Group::Same(bits_of_inputs) } else { Group::Repeat(bits_of_inputs) });
        order.iter_mut().for_each(|place| *place += 1);
        order.insert(0, 0);
        terms.push(LinearTerm { coefficient: 1, source, groups, order });
        ends = (lowering.system.tensors[source].low.min(ends.0), lowering.system.tensors[source].high.max(ends.1));
        begin += length;
    }
    if fill != 0 {
        terms.extend(filled(lowering, &own, fill));
        ends = (ends.0.min(fill), ends.1.max(fill));
    }
    let shape = lowering.batched(&own.shape);
    Ok(lowering.system.linear(&shape, ends, Linear { terms, offset: 0, shift: 0 }))
}

/// The fill value where the result reads nothing, as a constant.
fn filled(lowering: &mut Lowering, own: &Rearrange, fill: i64) -> Option<LinearTerm> {
    let count = own.shape.iter().product();
    let values: Vec<i64> = (0..count).map(|o| if own.read(o).is_some() { 0 } else { fill }).collect();
    if values.iter().all(|value| *value == 0) {
        return None;
    }
    let source = lowering.system.constant(&own.shape, padded(&own.shape, &values));
    let cube = own.shape.iter().map(|size| bits(*size)).sum();
    let groups = vec![Group::Repeat(bits(lowering.batch)), Group::Same(cube)];
    Some(LinearTerm { coefficient: 1, source, groups, order: vec![0, 1] })
}

impl Rearrange {
    fn counts(&self) -> Vec<usize> {
        self.maps.iter().map(|map| map[0] as usize).collect()
    }

    /// Where entry `i` of a permuted axis reads along its axis of the view.
    fn along(&self, place: usize, i: usize) -> Option<usize> {
        let [_, start, step, divisor] = self.maps[place];
        let read = (start + i as i64 * step).div_euclid(divisor);
        usize::try_from(read).ok().filter(|read| *read < self.view[self.permutation[place]])
    }

    /// The flat index in the view that a flat index of the result reads.
    fn read(&self, mut index: usize) -> Option<usize> {
        let mut coordinates = vec![0; self.view.len()];
        for place in (0..self.maps.len()).rev() {
            let count = self.maps[place][0] as usize;
            coordinates[self.permutation[place]] = self.along(place, index % count)?;
            index /= count;
        }
        Some(coordinates.iter().zip(&self.view).fold(0, |flat, (i, size)| flat * size + i))
    }

    /// The groups of an operand of that shape, which lies at [begin, begin + length) of the joined axis.
    fn groups(&self, shape: &[usize], begin: usize, length: usize) -> (Vec<Group>, Vec<usize>) {
        let mut view = self.view.clone();
        if let Some(size) = view.get_mut(self.axis) {
            *size = length;
        }
        let (result, source) = (blocks(&self.shape, &self.counts()), blocks(&view, shape));
        let parts = self.parts(&result, &source);
        let in_order = |axes: &dyn Fn(&Part) -> Vec<usize>| {
            let all: Vec<Vec<usize>> = parts.iter().map(axes).collect();
            all.iter().all(|axes| axes.windows(2).all(|pair| pair[0] + 1 == pair[1]))
        };
        let whole = !in_order(&|part: &Part| part.result.clone()) || !in_order(&|part: &Part| part.source.clone());
        let parts = if whole { vec![Part::all(self.shape.len(), self.maps.len(), shape.len())] } else { parts };
        let groups = parts.iter().map(|part| self.group(part, &view, shape, begin)).collect();
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|place| parts[*place].source.first().copied().unwrap_or(0));
        (groups, order)
    }

    /// What belongs together, in the order of the result.
    fn parts(&self, result: &[Block], source: &[Block]) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for block in result {
            let mut part = Part { result: block.left.clone(), places: block.right.clone(), source: vec![] };
            let views: Vec<usize> = part.places.iter().map(|place| self.permutation[*place]).collect();
            let touched = source.iter().filter(|other| other.left.iter().any(|axis| views.contains(axis)));
            part.source = touched.flat_map(|other| other.right.clone()).collect();
            parts.push(part);
        }
        // blocks that share a block of the source are one part
        let mut joined: Vec<Part> = Vec::new();
        for part in parts {
            let (mut with, apart): (Vec<Part>, Vec<Part>) =
                joined.into_iter().partition(|other| other.source.iter().any(|axis| part.source.contains(axis)));
            with.push(part);
            joined = apart;
            joined.push(with.into_iter().reduce(Part::with).unwrap_or_else(|| Part::all(0, 0, 0)));
        }
        joined.sort_by_key(|part| part.result.first().copied());
        joined
    }

    fn group(&self, part: &Part, view: &[usize], shape: &[usize], begin: usize) -> Group {
        let of = |axes: &[usize], sizes: &[usize]| axes.iter().map(|axis| sizes[*axis]).collect::<Vec<usize>>();
        let (result, source) = (of(&part.result, &self.shape), of(&part.source, shape));
        let counts = of(&part.places, &self.counts());
        let mut pairs = Vec::new();
        for flat in 0..counts.iter().product() {
            if let Some(read) = self.part_reads(part, &counts, view, begin, flat) {
                pairs.push((cube_index(&result, flat) as u32, cube_index(&source, read) as u32));
            }
        }
        let (out, input) = (result.iter().map(|size| bits(*size)).sum(), source.iter().map(|size| bits(*size)).sum());
        // entries of the result that read nothing must not read the source's padding
        let whole = [&source, &counts].iter().all(|sizes| sizes.iter().product::<usize>() == pairs.len());
        let same = out == input && pairs.iter().all(|(o, i)| o == i) && whole;
        if same { Group::Same(out) } else { Group::Map { out, input, pairs } }
    }

    /// The flat index among a part's axes of the source that a flat index among its places reads.
    fn part_reads(&self, part: &Part, counts: &[usize], view: &[usize], begin: usize, mut flat: usize) -> Option<usize> {
        let mut coordinates: Vec<(usize, usize)> = Vec::new();
        for (place, count) in part.places.iter().zip(counts).rev() {
            let (axis, read) = (self.permutation[*place], self.along(*place, flat % count)?);
            let own = if axis == self.axis { read.checked_sub(begin)? } else { read };
            coordinates.push((axis, (own < view[axis]).then_some(own)?));
            flat /= count;
        }
        coordinates.sort_unstable();
        Some(coordinates.iter().fold(0, |flat, (axis, i)| flat * view[*axis] + i))
    }
}

/// Axes of the result, places of the permuted view, axes of the source.
struct Part {
    result: Vec<usize>,
    places: Vec<usize>,
    source: Vec<usize>,
}

impl Part {
    fn all(result: usize, places: usize, source: usize) -> Self {
        Self { result: (0..result).collect(), places: (0..places).collect(), source: (0..source).collect() }
    }

    fn with(mut self, other: Self) -> Self {
        for (own, more) in [(&mut self.result, other.result), (&mut self.places, other.places), (&mut self.source, other.source)]
        {
            own.extend(more);
            own.sort_unstable();
            own.dedup();
        }
        self
    }
}

/// Neighbouring axes of two shapes with as many entries.
struct Block {
    left: Vec<usize>,
    right: Vec<usize>,
}

/// Cuts two shapes with as many entries wherever they have as many so far. Axes of one entry go with what stands before them.
fn blocks(left: &[usize], right: &[usize]) -> Vec<Block> {
    let (mut blocks, mut l, mut r) = (Vec::new(), 0, 0);
    while l < left.len() || r < right.len() {
        let (mut block, mut sizes) = (Block { left: vec![], right: vec![] }, (1usize, 1usize));
        loop {
            if sizes.0 <= sizes.1 && l < left.len() {
                block.left.push(l);
                sizes.0 *= left[l];
                l += 1;
            } else if r < right.len() {
                block.right.push(r);
                sizes.1 *= right[r];
                r += 1;
            } else if l < left.len() {
                block.left.push(l);
                sizes.0 *= left[l];
                l += 1;
            }
            let done = sizes.0 == sizes.1 && !block.left.is_empty() && !block.right.is_empty();
            if done || (l == left.len() && r == right.len()) {
                break;
            }
        }
        blocks.push(block);
    }
    blocks
}
