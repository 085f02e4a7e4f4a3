// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tensors that are linear in others: sums, differences, moved and repeated entries, coefficients a channel.

#![deny(clippy::indexing_slicing)]

use crate::claims::Claim;
use crate::system::TensorId;
use crate::weights::{Factor, joined, outer, regroup};
use field::Fr;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Entries of one task.
pub(crate) const PIECE: usize = 1 << 12;

/// (sum of terms + offset) / 2^shift; a prover only ever divides what is divisible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linear {
    /// What is summed.
    pub terms: Vec<LinearTerm>,
    /// Added everywhere.
    pub offset: i64,
    /// See above.
    pub shift: u32,
}

/// coefficient * (a matrix that is a tensor product of groups) * source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinearTerm {
    /// Of the whole term.
    pub coefficient: i64,
    /// What is read.
    pub source: TensorId,
    /// In the order of the output's bits.
    pub groups: Vec<Group>,
    /// Which group stands where in the source's bits, from the highest.
    pub order: Vec<usize>,
}

/// How some bits of the output's index depend on some of the source's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Group {
    /// Entry i reads entry i.
    Same(usize),
    /// Entry i reads entry i, times a coefficient of its own; beyond the last one nothing.
    Scale(usize, Vec<i64>),
    /// 2^bits entries read the one there is.
    Repeat(usize),
    /// Entries read the one there is, times a coefficient each; beyond the last one nothing.
    Spread(usize, Vec<i64>),
    /// One entry reads the sum of the first `size` of 2^bits.
    Sum(usize, usize),
    /// One entry reads the sum of entries times a coefficient each.
    Dot(usize, Vec<i64>),
    /// Entry o reads the sum of those i with (o, i) in the list.
    Map {
        /// Bits of o.
        out: usize,
        /// Bits of i.
        input: usize,
        /// The entries that are not zero.
        pairs: Vec<(u32, u32)>,
    },
}

impl Group {
    /// Bits of the output's index, and of the source's.
    pub fn bits(&self) -> (usize, usize) {
        match self {
            Group::Same(bits) | Group::Scale(bits, _) => (*bits, *bits),
            Group::Repeat(bits) | Group::Spread(bits, _) => (*bits, 0),
            Group::Sum(bits, _) | Group::Dot(bits, _) => (0, *bits),
            Group::Map { out, input, .. } => (*out, *input),
        }
    }

    /// The entries that are not zero: output, source, coefficient.
    fn entries(&self) -> Vec<(usize, usize, i64)> {
        match self {
            Group::Same(bits) => (0..1 << bits).map(|i| (i, i, 1)).collect(),
            Group::Scale(_, values) => values.iter().enumerate().map(|(i, c)| (i, i, *c)).collect(),
            Group::Repeat(bits) => (0..1 << bits).map(|i| (i, 0, 1)).collect(),
            Group::Spread(_, values) => values.iter().enumerate().map(|(i, c)| (i, 0, *c)).collect(),
            Group::Dot(_, values) => values.iter().enumerate().map(|(i, c)| (0, i, *c)).collect(),
            Group::Sum(_, size) => (0..*size).map(|i| (0, i, 1)).collect(),
            Group::Map { pairs, .. } => pairs.iter().map(|(o, i)| (*o as usize, *i as usize, 1)).collect(),
        }
    }

    /// Weights on the output become weights on the source: a scalar, and factors.
    fn pull_back(&self, factors: Vec<Factor>) -> (Fr, Vec<Factor>) {
        let one = Fr::from(1u64);
        match self {
            Group::Same(_) => (one, factors),
            Group::Repeat(_) => (factors.iter().map(Factor::sum).product(), vec![]),
            Group::Spread(_, values) => {
                (joined(factors).table().iter().zip(values).map(|(w, c)| *w * Fr::from(*c)).sum(), vec![])
            }
            Group::Dot(bits, values) => {
                let coefficients = values.iter().copied().chain(std::iter::repeat(0)).take(1 << bits);
                (one, vec![Factor::Dense(*bits, coefficients.map(Fr::from).collect())])
            }
            Group::Sum(bits, size) => (one, vec![Factor::Prefix(*bits, *size)]),
            Group::Scale(bits, values) => {
                let coefficients = values.iter().copied().chain(std::iter::repeat(0));
                let scaled = joined(factors).table().into_iter().zip(coefficients).map(|(w, c)| w * Fr::from(c)).collect();
                (one, vec![Factor::Dense(*bits, scaled)])
            }
            Group::Map { input, pairs, .. } => {
                let own = joined(factors).table();
                let mut table = vec![Fr::from(0u64); 1 << input];
                for (o, i) in pairs {
                    if let (Some(weight), Some(place)) = (own.get(*o as usize), table.get_mut(*i as usize)) {
                        *place += weight;
                    }
                }
                (one, vec![Factor::Dense(*input, table)])
            }
        }
    }
}

impl LinearTerm {
    /// The whole of the source, entry by entry.
    pub fn same(coefficient: i64, source: TensorId, bits: usize) -> Self {
        Self { coefficient, source, groups: vec![Group::Same(bits)], order: vec![0] }
    }

    /// Whether every entry reads its own.
    fn is_same(&self) -> bool {
        self.groups.iter().all(|group| matches!(group, Group::Same(_))) && self.order.iter().copied().eq(0..self.groups.len())
    }

    /// Whether its groups make up a result of `own` bits and a source that `below` knows.
    pub(crate) fn fits(&self, own: usize, below: &dyn Fn(TensorId, usize) -> bool) -> bool {
        let (out, input) = self
            .groups
            .iter()
            .map(Group::bits)
            .fold((0usize, 0usize), |(o, i), (out, input)| (o.saturating_add(out), i.saturating_add(input)));
        let mut order = self.order.clone();
        order.sort_unstable();
        out == own && below(self.source, input) && order.into_iter().eq(0..self.groups.len())
    }

    /// Weights on the output become weights on the source. Where factors and groups cannot be cut alike, one table of the whole
    /// source says it. `None` if the weights do not fit the output.
    pub fn pull_back(&self, weights: &[Factor]) -> Option<(Fr, Vec<Factor>)> {
        let cuts: Vec<usize> = self.groups.iter().map(|group| group.bits().0).collect();
        let Some(parts) = regroup(weights, &cuts) else { return self.pull_back_whole(weights) };
        let (scalars, moved): (Vec<Fr>, Vec<Vec<Factor>>) = self.groups.iter().zip(parts).map(|(g, f)| g.pull_back(f)).unzip();
        let mut factors = Vec::new();
        for place in &self.order {
            factors.extend(moved.get(*place)?.iter().cloned());
        }
        let (one, factors) = without_scalars(factors);
        Some((scalars.into_iter().product::<Fr>() * one, factors))
    }

    fn pull_back_whole(&self, weights: &[Factor]) -> Option<(Fr, Vec<Factor>)> {
        let own = outer(weights);
        let bits: usize = self.groups.iter().map(|group| group.bits().1).sum();
        let outputs: usize = self.groups.iter().map(|group| group.bits().0).sum();
        if own.len() >> outputs != 1 {
            return None;
        }
        let mut table = vec![Fr::from(0u64); 1 << bits];
        self.for_each(|o, i, c| {
            if let (Some(weight), Some(place)) = (own.get(o), table.get_mut(i)) {
                *place += *weight * Fr::from(c);
            }
        });
        Some(without_scalars(vec![Factor::Dense(bits, table)]))
    }

    /// Calls `visit` with each entry of the matrix that is not zero: output, source, its coefficient without the term's own.
    fn for_each(&self, mut visit: impl FnMut(usize, usize, i64)) {
        let mut levels = Vec::with_capacity(self.groups.len());
        let mut above: usize = self.groups.iter().map(|group| group.bits().0).sum();
        for (place, group) in self.groups.iter().enumerate() {
            above -= group.bits().0;
            let behind = self.order.iter().rev().take_while(|other| **other != place);
            let below: usize = behind.filter_map(|other| self.groups.get(*other)).map(|other| other.bits().1).sum();
            levels.push(group.entries().into_iter().map(|(o, i, c)| (o << above, i << below, c)).collect::<Vec<_>>());
        }
        descend(&levels, (0, 0, 1), &mut visit);
    }
}

/// Factors of no bits are scalars: no cut would find them again.
fn without_scalars(factors: Vec<Factor>) -> (Fr, Vec<Factor>) {
    let (scalars, factors): (Vec<Factor>, Vec<Factor>) = factors.into_iter().partition(|factor| factor.bits() == 0);
    (scalars.iter().map(Factor::sum).product(), factors)
}

fn descend(levels: &[Vec<(usize, usize, i64)>], at: (usize, usize, i64), visit: &mut impl FnMut(usize, usize, i64)) {
    match levels.split_first() {
        None => visit(at.0, at.1, at.2),
        Some((own, [])) => own.iter().for_each(|(o, i, c)| visit(at.0 | o, at.1 | i, at.2 * c)),
        Some((own, rest)) => own.iter().for_each(|(o, i, c)| descend(rest, (at.0 | o, at.1 | i, at.2 * c), visit)),
    }
}

impl Linear {
    /// The prover's values on 2^bits entries, from those of lower tensors.
    pub fn values<'a>(&self, bits: usize, source: impl Fn(TensorId) -> &'a [i64]) -> Vec<i64> {
        let mut sums = vec![self.offset; 1 << bits];
        for term in &self.terms {
            let read = source(term.source);
            if term.is_same() {
                let add = |(sum, value): (&mut i64, &i64)| *sum += term.coefficient * value;
                sums.par_iter_mut().with_min_len(PIECE).zip(read).for_each(add);
                continue;
            }
            term.for_each(|o, i, c| {
                if let (Some(sum), Some(value)) = (sums.get_mut(o), read.get(i)) {
                    *sum += term.coefficient * c * value;
                }
            });
        }
        if self.shift > 0 {
            debug_assert!(sums.iter().all(|sum| sum & ((1 << self.shift) - 1) == 0), "2^shift divides every sum");
            sums.par_iter_mut().with_min_len(PIECE).for_each(|sum| *sum >>= self.shift);
        }
        sums
    }

    /// A claim on the tensor is these on its sources, and a constant.
    pub fn pull_back(&self, claim: &Claim) -> Option<(Fr, Vec<Claim>)> {
        let scale = claim.coefficient * inverse_power(self.shift);
        let total: Fr = claim.weights.iter().map(Factor::sum).product();
        let mut claims = Vec::with_capacity(self.terms.len());
        for term in &self.terms {
            let (scalar, weights) = term.pull_back(&claim.weights)?;
            claims.push(Claim { coefficient: scale * scalar * Fr::from(term.coefficient), tensor: term.source, weights });
        }
        Some((scale * total * Fr::from(self.offset), claims))
    }
}

/// 1 / 2^shift.
fn inverse_power(shift: u32) -> Fr {
    let half = Fr::from(1u64) / Fr::from(2u64);
    (0..shift).fold(Fr::from(1u64), |power, _| power * half)
}
