// SPDX-License-Identifier: MIT OR Apache-2.0
//! acc * multiplier + offset: the sum before it is shifted and clipped, a channel at a time.

use crate::lowering::{Failure, padded};
use program::Requantise;
use relation::{Group, Linear, LinearTerm, System, TensorId, bits};

/// A sum that is being written down: terms, offsets a channel, and what it can reach.
pub(crate) struct Sum {
    /// Of the result.
    pub shape: Vec<usize>,
    /// What is summed, multipliers included.
    pub terms: Vec<LinearTerm>,
    /// One, or one a channel.
    pub offset: Vec<i64>,
    /// Least and greatest, the offset included, the padding too.
    pub ends: (i64, i64),
}

/// One multiplier, or one a channel; 1 for raw results.
pub(crate) fn multipliers(form: Option<&Requantise>) -> Vec<i64> {
    form.map_or(vec![1], |form| form.multiplier.clone())
}

/// As many offsets; 0 for raw results.
pub(crate) fn offsets(form: Option<&Requantise>) -> Vec<i64> {
    form.map_or(vec![0], |form| form.offset.clone())
}

/// Entry c of one value a channel, or of one for all.
pub(crate) fn channel(values: &[i64], c: usize) -> i64 {
    if values.len() == 1 { values[0] } else { values[c] }
}

/// The hull of acc * multiplier + offset over channels, and of what the padding holds.
pub(crate) fn reach(ends: (i128, i128), form: Option<&Requantise>) -> Result<(i64, i64), Failure> {
    let (multiplier, offset) = (multipliers(form), offsets(form));
    let every = (0..multiplier.len()).flat_map(|c| {
        let (m, o) = (i128::from(multiplier[c]), i128::from(offset[c]));
        [ends.0 * m + o, ends.1 * m + o]
    });
    hull(every.chain([0]))
}

/// Least and greatest. Refuses 2^62 and beyond.
pub(crate) fn hull(values: impl Iterator<Item = i128>) -> Result<(i64, i64), Failure> {
    let (low, high) = values.fold((i128::MAX, i128::MIN), |(low, high), v| (low.min(v), high.max(v)));
    let fits = |v: i128| i64::try_from(v).ok().filter(|v| v.unsigned_abs() < 1 << 62);
    match (fits(low), fits(high)) {
        (Some(low), Some(high)) => Ok((low, high)),
        _ => Err(Failure(format!("with its padding it reaches [{low}, {high}], and 2^62 is the limit"))),
    }
}

/// Groups that keep all axes, the last one times one coefficient a channel.
pub(crate) fn by_channel(mut groups: Vec<Group>, values: &[i64]) -> (i64, Vec<Group>) {
    if values.len() == 1 {
        return (values[0], groups);
    }
    match groups.pop() {
        Some(Group::Same(size)) => groups.push(Group::Scale(size, values.to_vec())),
        Some(Group::Repeat(size)) => groups.push(Group::Spread(size, values.to_vec())),
        Some(Group::Sum(size, count)) => {
            // channels stand on the last axis that is kept; sums are over inner ones
            let (scale, mut rest) = by_channel(groups, values);
            rest.push(Group::Sum(size, count));
            return (scale, rest);
        }
        Some(other) => groups.push(other),
        None => {}
    }
    (1, groups)
}

/// coefficient * x of the result's own cube.
pub(crate) fn same(system: &System, coefficient: i64, x: TensorId) -> LinearTerm {
    LinearTerm::same(coefficient, x, system.tensors[x].bits())
}

/// A virtual tensor of that shape, from terms and an offset.
pub(crate) fn virtual_sum(
    system: &mut System,
    shape: &[usize],
    ends: (i64, i64),
    terms: Vec<LinearTerm>,
    offset: i64,
) -> TensorId {
    system.linear(shape, ends, Linear { terms, offset, shift: 0 })
}

/// Demands that terms and an offset sum to zero everywhere on that shape.
pub(crate) fn vanish(system: &mut System, shape: &[usize], terms: Vec<LinearTerm>, offset: i64) {
    let sum = virtual_sum(system, shape, (0, 0), terms, offset);
    system.zero(sum);
}

impl Sum {
    /// The sum as a virtual tensor.
    pub fn write(mut self, system: &mut System) -> TensorId {
        let mut offset = self.offset[0];
        if self.offset.len() > 1 {
            offset = 0;
            let channels = [self.offset.len()];
            let constant = system.constant(&channels, padded(&channels, &self.offset));
            let cube: usize = self.shape.iter().map(|size| bits(*size)).sum();
            let own = bits(channels[0]);
            let groups = vec![Group::Repeat(cube - own), Group::Same(own)];
            self.terms.push(LinearTerm { coefficient: 1, source: constant, groups, order: vec![0, 1] });
        }
        system.linear(&self.shape, self.ends, Linear { terms: self.terms, offset, shift: 0 })
    }
}
