// SPDX-License-Identifier: MIT OR Apache-2.0
//! The prover of one sumcheck over many products: sum over i of c_i * sum over z of L_i(z) R_i(z) E_i(z).
//!
//! Products differ in their number of variables. A smaller one stands at zero of the highest variables, so its claim is
//! multiplied by prod(1 - r) of the rounds before it joins: `joined` says so to the verifier.

use crate::channel::Writer;
use crate::multilinear::{PARALLEL, bind};
use crate::rounds::{horner, with_sum};
use field::Fr;
use rayon::prelude::*;
use std::ops::Range;

/// One product. Tables end early where the rest is zero.
pub struct Product {
    /// What it counts in the sum.
    pub coefficient: Fr,
    /// log2 of its domain.
    pub variables: usize,
    /// Both factors.
    pub left: Vec<Fr>,
    /// See `left`.
    pub right: Vec<Fr>,
    /// A third factor, known to the verifier; `None` is 1.
    pub weight: Option<Vec<Fr>>,
}

/// What the rounds before a product of `variables` joins make of its claim: prod of 1 - r.
pub fn joined(point: &[Fr], variables: usize) -> Fr {
    unjoined(point, point.len().saturating_sub(variables))
}

fn unjoined(point: &[Fr], rounds: usize) -> Fr {
    point.iter().take(rounds).map(|r| Fr::from(1u64) - r).product()
}

/// A sumcheck that is being proved, a round at a time.
pub struct Prover {
    products: Vec<Product>,
    sums: Vec<Fr>,
    rounds: usize,
    degree: usize,
    claim: Fr,
    point: Vec<Fr>,
}

impl Prover {
    /// `claim` is the whole sum; degree: 2, or 3 if any product has a weight.
    pub fn new(products: Vec<Product>, rounds: usize, degree: usize, claim: Fr) -> Self {
        let sums = products.iter().map(|p| if p.variables < rounds { sum(p) } else { Fr::from(0u64) }).collect();
        Self { products, sums, rounds, degree, claim, point: Vec::with_capacity(rounds) }
    }

    /// The table of the first factor of a product, as far as it is bound.
    pub fn left(&self, product: usize) -> &[Fr] {
        self.products.get(product).map_or(&[], |product| &product.left)
    }

    /// What is left of the claim.
    pub fn claim(&self) -> Fr {
        self.claim
    }

    /// One round.
    pub fn step(&mut self, proof: &mut Writer) {
        let (round, half) = (self.point.len(), 1 << (self.rounds - self.point.len() - 1));
        let mut sent = vec![Fr::from(0u64); self.degree];
        for (product, sum) in self.products.iter().zip(&self.sums) {
            let waits = self.rounds - product.variables;
            let scale = product.coefficient * unjoined(&self.point, waits);
            let of_round = if waits > round { [*sum, Fr::from(0u64), Fr::from(0u64)] } else { round_polynomial(product, half) };
            sent.iter_mut().zip(of_round).for_each(|(total, c)| *total += scale * c);
        }
        proof.scalars("round", &sent);
        let r = proof.challenge("point");
        self.claim = horner(&with_sum(self.claim, sent[0], &sent[1..]), &r);
        self.point.push(r);
        for product in self.products.iter_mut().filter(|product| self.rounds - product.variables <= round) {
            bind(&mut product.left, half, &r);
            bind(&mut product.right, half, &r);
            if let Some(weight) = &mut product.weight {
                bind(weight, half, &r);
            }
        }
    }

    /// All rounds that are left; then the point, and each product's final (left, right).
    pub fn finish(mut self, proof: &mut Writer) -> (Vec<Fr>, Vec<(Fr, Fr)>) {
        while self.point.len() < self.rounds {
            self.step(proof);
        }
        let first = |values: &[Fr]| values.first().copied().unwrap_or(Fr::from(0u64));
        (self.point, self.products.iter().map(|p| (first(&p.left), first(&p.right))).collect())
    }
}

/// The coefficients of 1, X^2 and X^3; that of X follows from the claim. Half is 2^(n-1).
fn round_polynomial(product: &Product, half: usize) -> [Fr; 3] {
    let tables = [Some(&product.left), Some(&product.right), product.weight.as_ref()];
    let lengths = || tables.into_iter().flatten().map(Vec::len);
    let (least, most) = (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0));
    let reach = half.min(least);
    // pairs that are all there, pairs without an upper half, and between them, if tables end at different places, what is neither
    let whole = least.saturating_sub(half);
    let lone = most.saturating_sub(half).clamp(whole, reach);
    let upper = in_pieces(0..whole, |own| pairs(product, half, own));
    let sum = in_pieces(lone..reach, |own| [product.over(own), zero(), zero()])[0];
    let lower = if product.weight.is_some() { [sum, sum + sum + sum, -sum] } else { [sum, sum, zero()] };
    (whole..lone).map(|i| ragged(product, half, i)).fold(add(upper, lower), add)
}

fn zero() -> Fr {
    Fr::from(0u64)
}

fn add(a: [Fr; 3], b: [Fr; 3]) -> [Fr; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn in_pieces(all: Range<usize>, of: impl Fn(Range<usize>) -> [Fr; 3] + Sync) -> [Fr; 3] {
    let piece = |start: usize| of(start..all.end.min(start + PARALLEL));
    let starts: Vec<usize> = all.clone().step_by(PARALLEL).collect();
    starts.into_par_iter().map(piece).reduce(|| [zero(); 3], add)
}

fn pairs(product: &Product, half: usize, own: Range<usize>) -> [Fr; 3] {
    let (low, high) = (own.clone(), own.start + half..own.end + half);
    let (l, r) = (&product.left, &product.right);
    let (left, right) = ((&l[low.clone()], &l[high.clone()]), (&r[low.clone()], &r[high.clone()]));
    match &product.weight {
        None => {
            let [constant, square] = lanes::round_of_two(left, right);
            [constant, square, zero()]
        }
        Some(e) => lanes::round_of_three(left, right, (&e[low], &e[high])),
    }
}

/// One pair, of tables that may have ended.
fn ragged(product: &Product, half: usize, i: usize) -> [Fr; 3] {
    let at = |values: &[Fr], i: usize| values.get(i).copied().unwrap_or(zero());
    let pair = |values: &[Fr]| (at(values, i), at(values, i + half) - at(values, i));
    let ((l, dl), (r, dr)) = (pair(&product.left), pair(&product.right));
    match &product.weight {
        None => [l * r, dl * dr, zero()],
        Some(weight) => {
            let ((e, de), square) = (pair(weight), dl * dr);
            [l * r * e, square * e + (dl * r + l * dr) * de, square * de]
        }
    }
}

impl Product {
    /// Sum over some of its domain, where no table has ended.
    fn over(&self, own: Range<usize>) -> Fr {
        let (l, r) = (&self.left[own.clone()], &self.right[own.clone()]);
        match &self.weight {
            None => lanes::dot(l, r),
            Some(weight) => l.iter().zip(r).zip(&weight[own]).map(|((l, r), e)| *l * r * e).sum(),
        }
    }
}

/// Sum of the product over its domain.
pub fn sum(product: &Product) -> Fr {
    let weight = product.weight.as_ref().map_or(usize::MAX, Vec::len);
    let reach = product.left.len().min(product.right.len()).min(weight);
    in_pieces(0..reach, |own| [product.over(own), zero(), zero()])[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Reader;
    use crate::multilinear::evaluate;
    use crate::rounds::verify;
    use transcript::Transcript;

    fn table(seed: u64, len: usize) -> Vec<Fr> {
        (0..len as u64).map(|i| Fr::from(i * i * seed + 3 * i + seed)).collect()
    }

    fn products() -> Vec<Product> {
        let make = |variables: usize, len: usize, weighted: bool| Product {
            coefficient: Fr::from(variables as u64 + 5),
            variables,
            left: table(3, len),
            right: table(8, 1 << variables),
            weight: weighted.then(|| table(11, 1 << variables)),
        };
        vec![make(3, 8, false), make(0, 1, true), make(5, 21, true), make(4, 16, false)]
    }

    #[test]
    fn honest_products_of_several_sizes_verify() {
        let proving = products();
        let claim: Fr = proving.iter().map(|p| p.coefficient * sum(p)).sum();
        let mut writer = Writer::new(Transcript::new("test"));
        let (_, finals) = Prover::new(proving, 5, 3, claim).finish(&mut writer);
        let words = writer.finish().0;
        let mut reader = Reader::new(&words, Transcript::new("test"));
        let (point, value) = verify(claim, 5, 3, &mut reader).expect("well formed");
        let mut expected = Fr::from(0u64);
        for (product, (l, r)) in products().iter().zip(finals) {
            let own = &point[5 - product.variables..];
            assert_eq!((l, r), (evaluate(&product.left, own), evaluate(&product.right, own)));
            let e = product.weight.as_ref().map_or(Fr::from(1u64), |w| evaluate(w, own));
            expected += product.coefficient * joined(&point, product.variables) * l * r * e;
        }
        assert_eq!(value, expected);
        assert!(reader.finish().is_ok());
    }
}
