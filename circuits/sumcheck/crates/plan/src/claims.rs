// SPDX-License-Identifier: MIT OR Apache-2.0
//! Claims pulled back along the system, as in `relation::claims`, `linear`, `product` and `conv`, written down and not computed.

use crate::factor::{Factor, eq_table, joined, map, outer, regroup};
use crate::machine::{Op, Reg, Writer, exact};
use field::Fr;
use relation::{Conv, Form, Group, Linear, LinearTerm, Operand, Product, System, bits};
use std::collections::BTreeMap;

/// Pairs of a map that are cheaper summed one by one than as a table.
const FEW: usize = 48;

/// coefficient * sum of weights * tensor.
#[derive(Clone, Debug)]
pub struct Claim {
    pub coefficient: Reg,
    pub tensor: usize,
    pub weights: Vec<Factor>,
}

/// What a sum of claims is: a constant, claims on what is stored, claims on products.
pub struct Expansion {
    pub constant: Vec<(Reg, Reg)>,
    pub stored: Vec<Claim>,
    pub products: Vec<Claim>,
}

/// Pulls claims back, the highest tensor first.
pub fn expand(plan: &mut Writer, system: &System, claims: Vec<Claim>) -> Expansion {
    let mut waiting: BTreeMap<usize, Vec<Claim>> = BTreeMap::new();
    let mut result = Expansion { constant: vec![], stored: vec![], products: vec![] };
    claims.into_iter().for_each(|claim| merge(plan, &mut waiting, claim));
    while let Some((id, claims)) = waiting.pop_last() {
        for claim in claims {
            match &system.tensors[id].form {
                Form::Committed { base } => {
                    let scaled = scaled_total(plan, &claim.weights, *base);
                    result.constant.push((claim.coefficient, scaled));
                    result.stored.push(claim);
                }
                Form::Constant => result.stored.push(claim),
                Form::Given => unreachable!("no claim is about what a prover was given"),
                Form::Product(_) | Form::Conv(_) => result.products.push(claim),
                Form::Linear(linear) => {
                    let (constant, parts) = pull_back(plan, linear, &claim);
                    result.constant.push(constant);
                    parts.into_iter().for_each(|part| merge(plan, &mut waiting, part));
                }
            }
        }
    }
    result
}

fn merge(plan: &mut Writer, waiting: &mut BTreeMap<usize, Vec<Claim>>, claim: Claim) {
    let known = waiting.entry(claim.tensor).or_default();
    match known.iter_mut().find(|other| other.weights == claim.weights) {
        Some(other) => other.coefficient = plan.add(other.coefficient, 1, claim.coefficient),
        None => known.push(claim),
    }
}

fn total(plan: &mut Writer, weights: &[Factor]) -> Reg {
    weights.iter().fold(plan.integer(1), |product, factor| {
        let sum = factor.sum(plan);
        plan.mul(product, sum)
    })
}

/// The sum of all weights, times an integer that often is 0.
fn scaled_total(plan: &mut Writer, weights: &[Factor], scale: i64) -> Reg {
    let scale = plan.integer(scale);
    if scale == plan.integer(0) {
        return scale;
    }
    let total = total(plan, weights);
    plan.mul(total, scale)
}

/// As `Linear::pull_back`.
fn pull_back(plan: &mut Writer, linear: &Linear, claim: &Claim) -> ((Reg, Reg), Vec<Claim>) {
    let half = Fr::from(1u64) / Fr::from(2u64);
    let shift = plan.constant((0..linear.shift).fold(Fr::from(1u64), |power, _| power * half));
    let scale = plan.mul(claim.coefficient, shift);
    let mut claims = Vec::new();
    for term in &linear.terms {
        let (scalar, weights) = pull_back_term(plan, term, &claim.weights);
        let own = plan.integer(term.coefficient);
        let scalar = plan.mul(scalar, own);
        claims.push(Claim { coefficient: plan.mul(scale, scalar), tensor: term.source, weights });
    }
    let offset = scaled_total(plan, &claim.weights, linear.offset);
    ((scale, offset), claims)
}

fn pull_back_term(plan: &mut Writer, term: &LinearTerm, weights: &[Factor]) -> (Reg, Vec<Factor>) {
    let cuts: Vec<usize> = term.groups.iter().map(|group| group.bits().0).collect();
    let one = plan.integer(1);
    let Some(parts) = regroup(weights, &cuts) else {
        let own = outer(plan, weights);
        let size: usize = term.groups.iter().map(|group| group.bits().1).sum();
        let table = whole(plan, term, own, size);
        return without_scalars(plan, one, vec![Factor::Dense(size, table)]);
    };
    let moved: Vec<(Reg, Vec<Factor>)> =
        term.groups.iter().zip(parts).map(|(group, part)| pull_back_group(plan, group, part)).collect();
    let scalar = moved.iter().fold(one, |product, (own, _)| plan.mul(product, *own));
    without_scalars(plan, scalar, term.order.iter().flat_map(|place| moved[*place].1.clone()).collect())
}

/// As in `relation::linear`: factors of no bits are scalars, which no cut would find again.
fn without_scalars(plan: &mut Writer, scalar: Reg, factors: Vec<Factor>) -> (Reg, Vec<Factor>) {
    let (scalars, factors): (Vec<Factor>, Vec<Factor>) = factors.into_iter().partition(|factor| factor.bits() == 0);
    let own = total(plan, &scalars);
    (plan.mul(scalar, own), factors)
}

/// As `Group::pull_back`.
fn pull_back_group(plan: &mut Writer, group: &Group, factors: Vec<Factor>) -> (Reg, Vec<Factor>) {
    let one = plan.integer(1);
    match group {
        Group::Same(_) => (one, factors),
        Group::Repeat(_) => (total(plan, &factors), vec![]),
        Group::Spread(_, values) => {
            let table = table(plan, factors);
            let data = integers(plan, values);
            (plan.pure(Op::DotData, table, table, values.len(), data, 1), vec![])
        }
        Group::Sum(bits, size) => (one, vec![Factor::Prefix(*bits, *size)]),
        Group::Dot(bits, values) => {
            let entries: Vec<Reg> = (0..1 << bits).map(|i| plan.integer(values.get(i).copied().unwrap_or(0))).collect();
            (one, vec![Factor::Dense(*bits, plan.range(&entries))])
        }
        Group::Scale(bits, values) => {
            let table = table(plan, factors);
            let data = integers(plan, values);
            (one, vec![Factor::Dense(*bits, plan.pure(Op::Scale, table, table, values.len(), data, 1 << bits))])
        }
        Group::Map { out, input, pairs } => {
            let (low, above) = without_low(pairs);
            let (mut parts, low, pairs) = match regroup(&factors, &[out - low, low]) {
                Some(parts) => (parts, low, above),
                None => (vec![factors, vec![]], 0, pairs.clone()),
            };
            let (kept, mapped) = (parts.pop().unwrap_or_default(), parts.pop().unwrap_or_default());
            let moved = match joined(plan, mapped) {
                Factor::Eq(point) if pairs.len() > FEW => Factor::Mapped(input - low, point, pairs),
                other => {
                    let table = other.table(plan);
                    Factor::Dense(input - low, map(plan, table, &pairs, input - low))
                }
            };
            (one, [vec![moved], kept].concat())
        }
    }
}

/// How many of the lowest bits all pairs have in common, entry for entry, and the pairs of what stands above them.
fn without_low(pairs: &[(u32, u32)]) -> (usize, Vec<(u32, u32)>) {
    let (mut low, mut pairs) = (0, pairs.to_vec());
    loop {
        let known: std::collections::HashSet<(u32, u32)> = pairs.iter().copied().collect();
        let twin = |(o, i): &(u32, u32)| (o ^ i) & 1 == 0 && known.contains(&(o ^ 1, i ^ 1));
        if pairs.is_empty() || !pairs.iter().all(twin) {
            return (low, pairs);
        }
        pairs.retain(|(o, _)| o & 1 == 0);
        pairs.iter_mut().for_each(|(o, i)| (*o, *i) = (*o >> 1, *i >> 1));
        low += 1;
    }
}

fn table(plan: &mut Writer, factors: Vec<Factor>) -> Reg {
    let own = joined(plan, factors);
    own.table(plan)
}

fn integers(plan: &mut Writer, values: &[i64]) -> usize {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    plan.data(&bytes)
}

/// As `LinearTerm::pull_back_whole`, where all coefficients are 1.
fn whole(plan: &mut Writer, term: &LinearTerm, table: Reg, size: usize) -> Reg {
    let mut pairs = Vec::new();
    entries(term, &mut |o, i, c| {
        assert_eq!(c, 1, "a whole map with coefficients has no instruction");
        pairs.push((o as u32, i as u32));
    });
    map(plan, table, &pairs, size)
}

fn entries(term: &LinearTerm, visit: &mut impl FnMut(usize, usize, i64)) {
    let one = |group: &Group| -> Vec<(usize, usize, i64)> {
        match group {
            Group::Same(bits) => (0..1 << bits).map(|i| (i, i, 1)).collect(),
            Group::Scale(_, values) => values.iter().enumerate().map(|(i, c)| (i, i, *c)).collect(),
            Group::Repeat(bits) => (0..1 << bits).map(|i| (i, 0, 1)).collect(),
            Group::Spread(_, values) => values.iter().enumerate().map(|(i, c)| (i, 0, *c)).collect(),
            Group::Sum(_, size) => (0..*size).map(|i| (0, i, 1)).collect(),
            Group::Dot(_, values) => values.iter().enumerate().map(|(i, c)| (0, i, *c)).collect(),
            Group::Map { pairs, .. } => pairs.iter().map(|(o, i)| (*o as usize, *i as usize, 1)).collect(),
        }
    };
    let mut all = vec![(0, 0, 1)];
    let mut above: usize = term.groups.iter().map(|group| group.bits().0).sum();
    for (place, group) in term.groups.iter().enumerate() {
        above -= group.bits().0;
        let behind = term.order.iter().rev().take_while(|other| **other != place);
        let below: usize = behind.map(|other| term.groups[*other].bits().1).sum();
        let own = one(group);
        all = all.iter().flat_map(|(o, i, c)| own.iter().map(move |(p, j, d)| (o | p << above, i | j << below, c * d))).collect();
    }
    all.into_iter().for_each(|(o, i, c)| visit(o, i, c));
}

/// What a claim on a product says at the end of its sumcheck: the value without its coefficient, and claims of either factor.
pub struct Settled {
    pub value: Reg,
    pub left: Vec<Claim>,
    pub right: Vec<Claim>,
}

/// As `Product::settle`.
pub fn settle_product(plan: &mut Writer, product: &Product, claim: &Claim, point: &[Reg], left: Reg, right: Reg) -> Settled {
    let cuts: Vec<usize> = product.out.iter().map(|label| product.labels[*label].bits).collect();
    let mut factors: Vec<Factor> = product.labels.iter().map(|l| Factor::Prefix(l.bits, l.size)).collect();
    for (label, parts) in product.out.iter().zip(regroup(&claim.weights, &cuts).expect("weights that the verifier can cut")) {
        factors[*label] = joined(plan, parts);
    }
    let shared: Vec<usize> = product.left.labels.iter().copied().filter(|label| product.right.labels.contains(label)).collect();
    let (mut ends, mut rest, mut weight) = (factors.clone(), point, plan.integer(1));
    for label in &shared {
        let (own, later) = rest.split_at(product.labels[*label].bits);
        let part = factors[*label].at(plan, own);
        weight = plan.mul(weight, part);
        ends[*label] = Factor::Eq(own.to_vec());
        rest = later;
    }
    let less = |plan: &mut Writer, operand: &Operand, value: Reg| {
        let weights: Vec<Factor> = operand.labels.iter().map(|label| ends[*label].clone()).collect();
        let zero = scaled_total(plan, &weights, -operand.zero);
        (plan.add(value, 1, zero), Claim { coefficient: plan.integer(1), tensor: operand.tensor, weights })
    };
    let (l, of_left) = less(plan, &product.left, left);
    let (r, of_right) = less(plan, &product.right, right);
    let value = plan.mul(l, r);
    Settled { value: plan.mul(weight, value), left: vec![of_left], right: vec![of_right] }
}

/// As `Conv::settle`.
pub fn settle_conv(plan: &mut Writer, conv: &Conv, claim: &Claim, point: &[Reg], left: Reg, right: Reg) -> Settled {
    let [outer_bits, group_bits, channel_bits, _] = conv.bits;
    let axes: Vec<usize> = conv.windows.iter().map(|w| bits(w.output)).collect();
    let cuts = [vec![outer_bits], axes, vec![group_bits, channel_bits]].concat();
    let parts = regroup(&claim.weights, &cuts).expect("weights that the verifier can cut");
    let mut parts = parts.into_iter().map(|part| joined(plan, part)).collect::<Vec<_>>();
    let (channel, group) = (parts.pop().expect("its channels"), parts.pop().expect("its groups"));
    let images = parts.remove(0);
    let (mut rest, mut taps) = (point, vec![plan.integer(1)]);
    for (window, factor) in conv.windows.iter().zip(&parts) {
        let (own, later) = rest.split_at(bits(window.input));
        let along = window_taps(plan, window, factor, own);
        taps = taps
            .iter()
            .flat_map(|above| along.iter().map(|own| (*above, *own)).collect::<Vec<_>>())
            .map(|(a, b)| plan.mul(a, b))
            .collect();
        rest = later;
    }
    let (of_group, of_inner) = rest.split_at(group_bits);
    let kernel = vec![Factor::Eq(of_group.to_vec()), channel, Factor::Eq(of_inner.to_vec())];
    let right_claims = conv
        .kernels
        .iter()
        .zip(taps)
        .map(|(tensor, coefficient)| Claim { coefficient, tensor: *tensor, weights: kernel.clone() })
        .collect();
    let zero = scaled_total(plan, std::slice::from_ref(&images), -conv.zero);
    let less = plan.add(left, 1, zero);
    let weight = group.at(plan, of_group);
    let product = plan.mul(less, right);
    Settled {
        value: plan.mul(weight, product),
        left: vec![Claim {
            coefficient: plan.integer(1),
            tensor: conv.source,
            weights: vec![images, Factor::Eq(point.to_vec())],
        }],
        right: right_claims,
    }
}

/// The sum over outputs of weights and eq(input), for each tap. Other weights than equality are summed output by output.
fn window_taps(plan: &mut Writer, window: &relation::Window, factor: &Factor, own: &[Reg]) -> Vec<Reg> {
    if let Factor::Eq(point) = factor {
        let numbers =
            [point.len(), own.len(), window.output, window.input, window.kernel, window.stride, window.dilation, window.pad];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| exact::<4>(*number)).collect();
        let data = plan.data(&bytes);
        let (a, b) = (plan.range(point), plan.range(own));
        let first = plan.pure(Op::Window, a, b, 0, data, window.kernel);
        return (0..window.kernel).map(|tap| first.plus(tap)).collect();
    }
    let (weights, ends) = (factor.table(plan), eq_table(plan, own));
    let reads =
        |o: usize, tap: usize| (o * window.stride + tap * window.dilation).checked_sub(window.pad).filter(|i| *i < window.input);
    let sum = |tap: usize| {
        (0..window.output).filter_map(|o| reads(o, tap).map(|i| (weights.plus(o), ends.plus(i)))).collect::<Vec<_>>()
    };
    (0..window.kernel).map(sum).collect::<Vec<_>>().iter().map(|terms| plan.sum(terms)).collect()
}
