// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sums of products of two tensors: matmul, mul, and what is quadratic in divisions and roots. Rule 63.
//!
//! T(out) = sum over contracted labels of (L - left.zero)(R - right.zero). With weights on T, what only L or only R has is folded
//! away, and a sumcheck runs over the labels that both have: `sum of E L R`, where E weighs those of T and masks the padding.

use crate::claims::Claim;
use crate::system::TensorId;
use crate::weights::{Factor, joined, regroup};
use field::Fr;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Some bits of an index, shared by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// How many.
    pub bits: usize,
    /// A contracted label counts up to here.
    pub size: usize,
}

/// A factor, and the integer that stands for its zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operand {
    /// What is read.
    pub tensor: TensorId,
    /// Subtracted from it.
    pub zero: i64,
    /// From the highest bits.
    pub labels: Vec<usize>,
}

/// See above. Labels that both operands have stand in the same order in both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// By number.
    pub labels: Vec<Label>,
    /// Of the result, from the highest bits.
    pub out: Vec<usize>,
    /// The first factor.
    pub left: Operand,
    /// The second.
    pub right: Operand,
}

/// A prover's tables of both factors, and of the third one if there is one.
pub type Tables = (Vec<Fr>, Vec<Fr>, Option<Vec<Fr>>);

/// What a claim on a product says once its sumcheck has ended at a point.
pub struct Settled {
    /// The product that the sumcheck ends in, without the claim's coefficient.
    pub value: Fr,
    /// These sum to the value that the prover sent for the left factor.
    pub left: Vec<Claim>,
    /// And for the right one.
    pub right: Vec<Claim>,
}

impl Product {
    /// Whether its labels make up a result of `own` bits and operands that `below` knows.
    pub(crate) fn fits(&self, own: usize, below: &dyn Fn(TensorId, usize) -> bool) -> bool {
        let bits = |labels: &[usize]| labels.iter().map(|l| self.labels.get(*l).map(|l| l.bits)).sum::<Option<usize>>();
        let once =
            |labels: &[usize]| labels.iter().enumerate().all(|(i, label)| !labels.iter().take(i).any(|other| other == label));
        let operand =
            |operand: &Operand| once(&operand.labels) && bits(&operand.labels).is_some_and(|bits| below(operand.tensor, bits));
        let ordered = self.right.labels.iter().copied().filter(|l| self.left.labels.contains(l)).eq(self.shared());
        let small = self.labels.iter().all(|label| label.bits <= 40);
        // weights of a label that no operand has would go nowhere
        let read =
            self.out.iter().all(|l| self.label(*l).bits == 0 || self.left.labels.contains(l) || self.right.labels.contains(l));
        small && read && once(&self.out) && bits(&self.out) == Some(own) && operand(&self.left) && operand(&self.right) && ordered
    }

    fn label(&self, label: usize) -> Label {
        self.labels.get(label).cloned().unwrap_or(Label { bits: 0, size: 1 })
    }

    fn shared(&self) -> Vec<usize> {
        self.left.labels.iter().copied().filter(|label| self.right.labels.contains(label)).collect()
    }

    /// Rounds of its sumcheck.
    pub fn variables(&self) -> usize {
        self.shared().iter().map(|label| self.label(*label).bits).sum()
    }

    /// Whether there is a third factor E.
    pub fn weighs(&self) -> bool {
        let plain = |label: usize| {
            let Label { bits, size } = self.label(label);
            bits == 0 || (!self.out.contains(&label) && size >> bits > 0)
        };
        !self.shared().into_iter().all(plain)
    }

    /// The factor of each label: T's weights, or the mask of a contracted one.
    fn factors(&self, weights: &[Factor]) -> Option<Vec<Factor>> {
        let cuts: Vec<usize> = self.out.iter().map(|label| self.label(*label).bits).collect();
        let mut own: Vec<Factor> = self.labels.iter().map(|l| Factor::Prefix(l.bits, l.size)).collect();
        for (label, factors) in self.out.iter().zip(regroup(weights, &cuts)?) {
            *own.get_mut(*label)? = joined(factors);
        }
        Some(own)
    }

    /// The verifier's end. `left` and `right` are what the prover sent.
    pub fn settle(&self, claim: &Claim, point: &[Fr], left: Fr, right: Fr) -> Option<Settled> {
        let factors = self.factors(&claim.weights)?;
        let shared = self.shared();
        let mut ends: Vec<Option<Factor>> = vec![None; self.labels.len()];
        let (mut rest, mut weight) = (point, Fr::from(1u64));
        for label in &shared {
            let (own, later) = rest.split_at_checked(self.label(*label).bits)?;
            weight *= factors.get(*label)?.at(own);
            *ends.get_mut(*label)? = Some(Factor::Eq(own.to_vec()));
            rest = later;
        }
        let claimed = |operand: &Operand| -> Option<(Claim, Fr)> {
            let end = |label: &usize| ends.get(*label)?.clone().or_else(|| factors.get(*label).cloned());
            let weights = operand.labels.iter().map(end).collect::<Option<Vec<_>>>()?;
            let zero = weights.iter().map(Factor::sum).product::<Fr>() * Fr::from(operand.zero);
            Some((Claim { coefficient: Fr::from(1u64), tensor: operand.tensor, weights }, zero))
        };
        let ((of_left, left_zero), (of_right, right_zero)) = (claimed(&self.left)?, claimed(&self.right)?);
        let value = weight * (left - left_zero) * (right - right_zero);
        Some(Settled { value, left: vec![of_left], right: vec![of_right] })
    }

    /// The prover's tables: L, R, E.
    pub fn tables<'a>(&self, claim: &Claim, read: impl Fn(TensorId) -> &'a [i64] + Sync) -> Option<Tables> {
        let factors = self.factors(&claim.weights)?;
        let shared = self.shared();
        let of = |operand: &Operand| {
            let axes: Vec<(usize, Option<&Factor>)> = operand
                .labels
                .iter()
                .map(|l| (self.label(*l).bits, if shared.contains(l) { None } else { factors.get(*l) }))
                .collect();
            let total: Fr = axes.iter().filter_map(|(_, factor)| factor.map(Factor::sum)).product();
            let zero = total * Fr::from(operand.zero);
            let mut table = fold(read(operand.tensor), &axes);
            table.par_iter_mut().with_min_len(1 << 12).for_each(|value| *value -= zero);
            table
        };
        let kept: Vec<Factor> = shared.iter().filter_map(|label| factors.get(*label).cloned()).collect();
        let weight = self.weighs().then(|| crate::weights::outer(&kept));
        Some((of(&self.left), of(&self.right), weight))
    }

    /// The zero points, with the weights that the operands' claims have: what turns a final of `tables` into the value sent.
    pub fn zeros(&self, claim: &Claim) -> Option<(Fr, Fr)> {
        let (factors, shared) = (self.factors(&claim.weights)?, self.shared());
        let of = |operand: &Operand| {
            let own = operand.labels.iter().filter(|label| !shared.contains(label)).filter_map(|label| factors.get(*label));
            own.map(Factor::sum).product::<Fr>() * Fr::from(operand.zero)
        };
        Some((of(&self.left), of(&self.right)))
    }

    /// The prover's values.
    pub fn values<'a>(&self, read: impl Fn(TensorId) -> &'a [i64] + Sync) -> Vec<i64> {
        let (left, right) = (read(self.left.tensor), read(self.right.tensor));
        let summed: Vec<usize> = self.shared().into_iter().filter(|label| !self.out.contains(label)).collect();
        let (out, inner) = (self.offsets(&self.out, false), self.offsets(&summed, true));
        let term = |(l, r): (usize, usize)| {
            let product = |(dl, dr): &(usize, usize)| (left[l + dl] - self.left.zero) * (right[r + dr] - self.right.zero);
            inner.iter().map(product).sum::<i64>()
        };
        out.into_par_iter().with_min_len(64).map(term).collect()
    }

    /// For each index over `labels`, where it stands in both operands. Contracted labels stop at their size.
    fn offsets(&self, labels: &[usize], masked: bool) -> Vec<(usize, usize)> {
        let mut offsets = vec![(0, 0)];
        for label in labels {
            let (strides, own) = ((stride(self, &self.left, *label), stride(self, &self.right, *label)), self.label(*label));
            let count = if masked { own.size.min(1 << own.bits) } else { 1 << own.bits };
            offsets = offsets.iter().flat_map(|(l, r)| (0..count).map(move |i| (l + i * strides.0, r + i * strides.1))).collect();
        }
        offsets
    }
}

/// How far apart two neighbours along a label stand in an operand; 0 if it does not have it.
fn stride(product: &Product, operand: &Operand, label: usize) -> usize {
    let Some(place) = operand.labels.iter().position(|other| *other == label) else { return 0 };
    1 << operand.labels[place + 1..].iter().map(|other| product.label(*other).bits).sum::<usize>()
}

/// A cube with some of its axes weighed and summed. Axes are (bits, weights or none), from the highest.
pub(crate) fn fold(cube: &[i64], axes: &[(usize, Option<&Factor>)]) -> Vec<Fr> {
    let Some(first) = axes.iter().position(|(bits, factor)| factor.is_some() && *bits > 0) else {
        return cube.par_iter().with_min_len(1 << 12).map(|value| Fr::from(*value)).collect();
    };
    let run = axes[first..].iter().take_while(|(_, factor)| factor.is_some()).count();
    let factors: Vec<Factor> = axes[first..first + run].iter().filter_map(|(_, factor)| factor.cloned()).collect();
    let weights = joined(factors).table();
    let after: usize = axes[first + run..].iter().map(|(bits, _)| bits).sum();
    let chunk = weights.len() << after;
    let folded: Vec<Fr> = cube.par_chunks(chunk).flat_map_iter(|rows| field::fold_i64(rows, 1 << after, &weights)).collect();
    let mut rest: Vec<(usize, Option<&Factor>)> = axes[..first].to_vec();
    rest.extend_from_slice(&axes[first + run..]);
    fold_scalars(folded, &rest)
}

fn fold_scalars(table: Vec<Fr>, axes: &[(usize, Option<&Factor>)]) -> Vec<Fr> {
    let Some(first) = axes.iter().position(|(bits, factor)| factor.is_some() && *bits > 0) else { return table };
    let weights = axes[first].1.map_or(vec![], Factor::table);
    let after: usize = axes[first + 1..].iter().map(|(bits, _)| bits).sum();
    let sum = |rows: &[Fr]| -> Vec<Fr> {
        let column = |i: usize| rows[i..].iter().step_by(1 << after).zip(&weights).map(|(v, w)| *v * w).sum();
        (0..1 << after).map(column).collect()
    };
    let folded = table.par_chunks(weights.len() << after).flat_map_iter(sum).collect();
    let mut rest: Vec<(usize, Option<&Factor>)> = axes[..first].to_vec();
    rest.extend_from_slice(&axes[first + 1..]);
    fold_scalars(folded, &rest)
}
