// SPDX-License-Identifier: MIT OR Apache-2.0
//! Convolution with constants. Rules 55, 64, 65.
//!
//! T(n, o.., g, c) = sum over taps k and inputs i of (X(n, i.., g, e) - zero) W_k(g, c, e) [i = o*stride + k*dilation - pad]. With weights
//! on T the taps fold into one table A(i.., g, e) = sum over k of W_k(g, c, e) * prod over axes P_k(i), and a sumcheck runs over
//! `sum of E(g) (X - zero) A`. A is zero where no window reads, so padding adds nothing.

use crate::claims::Claim;
use crate::product::{Settled, Tables, fold};
use crate::system::TensorId;
use crate::weights::{Factor, joined, regroup};
use field::Fr;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sumcheck::multilinear::eq_table;

/// One spatial axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Length of the source's axis.
    pub input: usize,
    /// Length of the result's.
    pub output: usize,
    /// Taps.
    pub kernel: usize,
    /// From one output to the next.
    pub stride: usize,
    /// From one tap to the next.
    pub dilation: usize,
    /// Before the source's first entry.
    pub pad: usize,
}

impl Window {
    /// The source entry that an output reads through a tap, unless it lies in the padding.
    fn source(&self, output: usize, tap: usize) -> Option<usize> {
        let reach = output.checked_mul(self.stride)?.checked_add(tap.checked_mul(self.dilation)?)?;
        reach.checked_sub(self.pad).filter(|i| *i < self.input)
    }

    /// P_k: the weights of the outputs that read an entry through a tap, summed.
    fn reads(&self, weights: &[Fr], tap: usize) -> impl Iterator<Item = (usize, Fr)> {
        weights.iter().take(self.output).enumerate().filter_map(move |(o, w)| self.source(o, tap).map(|i| (i, *w)))
    }
}

/// See above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv {
    /// X, its bits in the order n, i.., g, e.
    pub source: TensorId,
    /// Subtracted from X.
    pub zero: i64,
    /// W_k, one constant a tap, its bits in the order g, c, e.
    pub kernels: Vec<TensorId>,
    /// Spatial axes, from the outermost.
    pub windows: Vec<Window>,
    /// Bits of n, g, c, e.
    pub bits: [usize; 4],
}

impl Conv {
    /// Whether its axes make up a result of `own` bits, and a source and kernels that `below` knows.
    pub(crate) fn fits(&self, own: usize, below: &dyn Fn(TensorId, usize) -> bool) -> bool {
        let [outer, group, channel, inner] = self.bits;
        let small =
            self.bits.iter().all(|bits| *bits <= 40) && self.windows.iter().all(|w| w.input <= 1 << 40 && w.output <= 1 << 40);
        let taps = self.windows.iter().try_fold(1usize, |taps, window| taps.checked_mul(window.kernel));
        let axes = |of: fn(&Window) -> usize| self.axis_bits(of).iter().sum::<usize>();
        small
            && taps == Some(self.kernels.len())
            && outer + axes(|w| w.output) + group + channel == own
            && below(self.source, outer + axes(|w| w.input) + group + inner)
            && self.kernels.iter().all(|kernel| below(*kernel, group + channel + inner))
    }

    fn axis_bits(&self, of: impl Fn(&Window) -> usize) -> Vec<usize> {
        self.windows.iter().map(|window| crate::bits(of(window))).collect()
    }

    /// Rounds of its sumcheck.
    pub fn variables(&self) -> usize {
        let [_, group, _, inner] = self.bits;
        self.axis_bits(|w| w.input).iter().sum::<usize>() + group + inner
    }

    /// Whether there is a third factor E.
    pub fn weighs(&self) -> bool {
        self.bits[1] > 0
    }

    /// The factors of n, of each axis, of g, of c.
    fn factors(&self, weights: &[Factor]) -> Option<(Factor, Vec<Factor>, Factor, Factor)> {
        let [outer, group, channel, _] = self.bits;
        let cuts = [vec![outer], self.axis_bits(|w| w.output), vec![group, channel]].concat();
        let mut parts = regroup(weights, &cuts)?.into_iter().map(joined);
        let outer = parts.next()?;
        let axes = parts.by_ref().take(self.windows.len()).collect();
        Some((outer, axes, parts.next()?, parts.next()?))
    }

    /// The verifier's end. `left` and `right` are what the prover sent: X and A.
    pub fn settle(&self, claim: &Claim, point: &[Fr], left: Fr, right: Fr) -> Option<Settled> {
        let (outer, axes, group, channel) = self.factors(&claim.weights)?;
        let (mut rest, mut taps) = (point, vec![Fr::from(1u64)]);
        for (window, factor) in self.windows.iter().zip(axes) {
            let (own, later) = rest.split_at_checked(crate::bits(window.input))?;
            let (weights, ends) = (factor.table(), eq_table(own));
            let read = |tap: usize| window.reads(&weights, tap).filter_map(|(i, w)| ends.get(i).map(|e| w * e)).sum::<Fr>();
            let along: Vec<Fr> = (0..window.kernel).map(read).collect();
            taps = taps.iter().flat_map(|above| along.iter().map(move |own| *above * own)).collect();
            rest = later;
        }
        let (of_group, of_inner) = rest.split_at_checked(self.bits[1])?;
        let source = [outer.clone(), Factor::Eq(point.to_vec())];
        let kernel = [Factor::Eq(of_group.to_vec()), channel, Factor::Eq(of_inner.to_vec())];
        let of_tap = |(tensor, coefficient): (&TensorId, Fr)| Claim { coefficient, tensor: *tensor, weights: kernel.to_vec() };
        Some(Settled {
            value: group.at(of_group) * (left - outer.sum() * Fr::from(self.zero)) * right,
            left: vec![Claim { coefficient: Fr::from(1u64), tensor: self.source, weights: source.to_vec() }],
            right: self.kernels.iter().zip(taps).map(of_tap).collect(),
        })
    }

    /// The prover's tables: X - zero, A, E.
    pub fn tables<'a>(&self, claim: &Claim, read: impl Fn(TensorId) -> &'a [i64] + Sync) -> Option<Tables> {
        let (outer, axes, group, channel) = self.factors(&claim.weights)?;
        let [outer_bits, group_bits, channel_bits, inner_bits] = self.bits;
        let zero = outer.sum() * Fr::from(self.zero);
        let mut left = fold(read(self.source), &[(outer_bits, Some(&outer)), (self.variables(), None)]);
        left.par_iter_mut().with_min_len(1 << 12).for_each(|value| *value -= zero);
        let kernels: Vec<Vec<Fr>> = self
            .kernels
            .par_iter()
            .map(|id| fold(read(*id), &[(group_bits, None), (channel_bits, Some(&channel)), (inner_bits, None)]))
            .collect();
        let axes: Vec<(&Window, Vec<Fr>)> = self.windows.iter().zip(axes.iter().map(Factor::table)).collect();
        let weight = self.weighs().then(|| {
            let (own, each) = (group.table(), 1usize << inner_bits);
            let one: Vec<Fr> = own.iter().flat_map(|w| std::iter::repeat_n(*w, each)).collect();
            one.repeat(left.len() / one.len())
        });
        Some((left, spread(&axes, &kernels), weight))
    }

    /// The zero point with the weights of X's claim: see `Product::zeros`.
    pub fn zeros(&self, claim: &Claim) -> Option<(Fr, Fr)> {
        let (outer, ..) = self.factors(&claim.weights)?;
        Some((outer.sum() * Fr::from(self.zero), Fr::from(0u64)))
    }

    /// The prover's values.
    pub fn values<'a>(&self, read: impl Fn(TensorId) -> &'a [i64] + Sync) -> Vec<i64> {
        let [outer, group, channel, inner] = self.bits;
        let (source, groups, channels, inputs) = (read(self.source), 1usize << group, 1usize << channel, 1usize << inner);
        let kernels: Vec<Vec<i64>> = self.kernels.iter().map(|id| by_input(read(*id), groups, channels, inputs)).collect();
        let (pixels, cells) = (product(self.axis_bits(|w| w.output)), product(self.axis_bits(|w| w.input)));
        let (width, depth) = (groups * channels, groups * inputs);
        let mut values = vec![0; (pixels * width) << outer];
        values.par_chunks_mut(width).with_min_len(16).enumerate().for_each(|(place, sums)| {
            let base = place / pixels * cells;
            for (tap, cell) in self.reads(place % pixels) {
                let seen = &source[(base + cell) * depth..][..depth];
                for (g, sums) in sums.chunks_mut(channels).enumerate() {
                    for (e, x) in seen[g * inputs..][..inputs].iter().enumerate() {
                        let weights = &kernels[tap][(g * inputs + e) * channels..][..channels];
                        sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += (x - self.zero) * w);
                    }
                }
            }
        });
        values
    }

    /// The taps that an output position reads through, and the source's position each.
    fn reads(&self, output: usize) -> Vec<(usize, usize)> {
        let (mut found, mut rest) = (vec![(0, 0)], output);
        let mut coordinates = Vec::new();
        for window in self.windows.iter().rev() {
            coordinates.push(rest % (1 << crate::bits(window.output)));
            rest >>= crate::bits(window.output);
        }
        for (window, o) in self.windows.iter().zip(coordinates.into_iter().rev()) {
            let along = |(tap, cell): &(usize, usize)| {
                let (tap, cell) = (tap * window.kernel, cell << crate::bits(window.input));
                let valid = if o < window.output { window.kernel } else { 0 };
                (0..valid).filter_map(move |k| window.source(o, k).map(|i| (tap + k, cell + i))).collect::<Vec<_>>()
            };
            found = found.iter().flat_map(along).collect();
        }
        found
    }
}

fn product(bits: Vec<usize>) -> usize {
    1 << bits.iter().sum::<usize>()
}

/// [g][c][e] to [g][e][c].
fn by_input(kernel: &[i64], groups: usize, channels: usize, inputs: usize) -> Vec<i64> {
    let mut moved = vec![0; kernel.len()];
    for g in 0..groups {
        for c in 0..channels {
            for e in 0..inputs {
                moved[(g * inputs + e) * channels + c] = kernel[(g * channels + c) * inputs + e];
            }
        }
    }
    moved
}

/// A, an axis at a time: for each tap of the first axis the table of the others, spread along it.
fn spread(axes: &[(&Window, Vec<Fr>)], kernels: &[Vec<Fr>]) -> Vec<Fr> {
    let Some(((window, weights), rest)) = axes.split_first() else { return kernels.first().cloned().unwrap_or_default() };
    let each = kernels.len() / window.kernel;
    let inner: Vec<Vec<Fr>> = kernels.par_chunks(each).map(|taps| spread(rest, taps)).collect();
    let size = inner.first().map_or(0, Vec::len);
    let mut reads = vec![Vec::new(); 1 << crate::bits(window.input)];
    for tap in 0..window.kernel {
        let mut along: std::collections::BTreeMap<usize, Fr> = std::collections::BTreeMap::new();
        window.reads(weights, tap).for_each(|(i, w)| *along.entry(i).or_default() += w);
        along.into_iter().for_each(|(i, w)| reads[i].push((tap, w)));
    }
    let mut table = vec![Fr::from(0u64); size * reads.len()];
    table.par_chunks_mut(size).zip(&reads).for_each(|(row, taps)| {
        for (tap, weight) in taps {
            row.iter_mut().zip(&inner[*tap]).for_each(|(value, own)| *value += *weight * own);
        }
    });
    table
}
