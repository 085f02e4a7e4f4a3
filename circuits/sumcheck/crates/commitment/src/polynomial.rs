// SPDX-License-Identifier: MIT OR Apache-2.0
//! Univariate polynomials as slices of coefficients, lowest first, and equality tables.

use ark_ff::{AdditiveGroup, Field};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use field::Fr;
use rayon::prelude::*;

/// p(x), by Horner's rule.
pub fn evaluate(p: &[Fr], x: &Fr) -> Fr {
    p.iter().rev().fold(Fr::ZERO, |sum, coefficient| sum * x + coefficient)
}

/// (p - p(x)) / (X - x): one coefficient fewer than p.
pub fn divide_by_linear(p: &[Fr], x: &Fr) -> Vec<Fr> {
    let mut carry = Fr::ZERO;
    let mut quotient: Vec<Fr> = p
        .iter()
        .skip(1)
        .rev()
        .map(|coefficient| {
            carry = carry * x + coefficient;
            carry
        })
        .collect();
    quotient.reverse();
    quotient
}

/// p += c q; q has no more coefficients than p.
pub fn add_scaled(p: &mut [Fr], c: &Fr, q: &[Fr]) {
    debug_assert!(q.len() <= p.len());
    p[..q.len()].par_chunks_mut(1 << 12).zip(q.par_chunks(1 << 12)).for_each(|(p, q)| lanes::add_scaled(p, c, q));
}

/// The values of eq(., point) at 0, 1, .. 2^n - 1; coordinate 0 is the highest bit.
pub fn eq_table(point: &[Fr]) -> Vec<Fr> {
    let mut table = vec![Fr::ONE];
    for u in point {
        table = table
            .iter()
            .flat_map(|entry| {
                let high = *entry * u;
                [*entry - high, high]
            })
            .collect();
    }
    table
}

/// The value at x of the polynomial whose coefficients are `eq_table(point)`: a product of n factors, coordinate 0 the highest power.
pub fn evaluate_eq(point: &[Fr], x: &Fr) -> Fr {
    let mut power = *x;
    point.iter().rev().fold(Fr::ONE, |product, u| {
        let factor = Fr::ONE - u + power * u;
        power.square_in_place();
        product * factor
    })
}

/// `sum over i of c_i (a_i(X) b_i(1/X) + a_i(1/X) b_i(X))` is constant + X s(X) + s(1/X) / X: this is s. All of one length, a power of two.
pub fn symmetric_part(terms: &[(&[Fr], &[Fr], Fr)], len: usize) -> Option<Vec<Fr>> {
    let domain = Radix2EvaluationDomain::<Fr>::new(2 * len)?;
    let mut product = vec![Fr::ZERO; domain.size()];
    for (a, b, c) in terms {
        let a = domain.fft(a);
        let b = domain.fft(&b.iter().rev().copied().collect::<Vec<_>>());
        product.iter_mut().zip(a.iter().zip(&b)).for_each(|(sum, (a, b))| *sum += *c * a * b);
    }
    domain.ifft_in_place(&mut product);
    let (low, high) = product.split_at(len); // coefficient len - 1 is the constant
    Some(high.iter().zip(low.iter().rev().skip(1)).map(|(up, down)| *up + down).collect())
}
