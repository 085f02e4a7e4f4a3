// SPDX-License-Identifier: MIT OR Apache-2.0
//! The prover of the lookup argument.

use crate::verify::{Finals, complete};
use crate::{DEGREE, GROUP};
use field::Fr;
use rayon::prelude::*;
use std::ops::Range;
use sumcheck::Writer;
use sumcheck::multilinear::{bind, eq_table};
use sumcheck::rounds::horner;

/// Entries of one task.
const PIECE: usize = 1 << 9;

/// alpha met a fingerprint: begin again with other challenges. Its chance is (lookups + entries) / p.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vanishing;

/// Lookups, or table entries: 8 * 2^n denominators as eight sub-cubes, numerators unless they are all 1, and their helper.
pub struct Side {
    denominators: Vec<Vec<Fr>>,
    numerators: Vec<Vec<Fr>>,
    /// 2^n values.
    pub helper: Vec<Fr>,
    alpha: Fr,
}

impl Side {
    /// From 8 * 2^n fingerprints, and as many multiplicities.
    pub fn new(fingerprints: &[Fr], multiplicities: Option<&[Fr]>, alpha: &Fr) -> Result<Self, Vanishing> {
        let size = fingerprints.len() / GROUP;
        let split = |values: &[Fr]| values.chunks(size).map(<[Fr]>::to_vec).collect::<Vec<_>>();
        let denominators: Vec<Fr> = fingerprints.par_iter().map(|f| *alpha - f).collect();
        let helper = helper(&denominators, multiplicities)?;
        let numerators = multiplicities.map_or(Vec::new(), split);
        Ok(Self { denominators: split(&denominators), numerators, helper, alpha: *alpha })
    }

    fn variables(&self) -> usize {
        self.helper.len().ilog2() as usize
    }

    fn bind(&mut self, half: usize, r: &Fr) {
        self.denominators.par_iter_mut().chain(&mut self.numerators).for_each(|values| bind(values, half, r));
        bind(&mut self.helper, half, r);
    }

    /// The values at 0..=9 of the sum over x of weights[x] * defect(X, x).
    fn round(&self, weights: &[Fr]) -> [Fr; DEGREE + 1] {
        let half = weights.len();
        let of = |start: usize| {
            let own = start..half.min(start + PIECE);
            let denominators = std::array::from_fn(|b| split(&self.denominators[b], &own, half));
            let numerators =
                (!self.numerators.is_empty()).then(|| std::array::from_fn(|b| split(&self.numerators[b], &own, half)));
            lanes::defects(&weights[own.clone()], split(&self.helper, &own, half), &denominators, numerators.as_ref())
        };
        let add = |mut a: [Fr; DEGREE + 1], b: [Fr; DEGREE + 1]| {
            a.iter_mut().zip(b).for_each(|(x, y)| *x += y);
            a
        };
        let starts: Vec<usize> = (0..half).step_by(PIECE).collect();
        starts.into_par_iter().map(of).reduce(|| [Fr::from(0u64); DEGREE + 1], add)
    }

    /// What is left of them once all variables are bound.
    fn fingerprints(&self) -> Vec<Fr> {
        self.denominators.iter().map(|values| self.alpha - values[0]).collect()
    }
}

/// Some entries of the lower half of a table, and those above them.
fn split<'a>(table: &'a [Fr], own: &Range<usize>, half: usize) -> (&'a [Fr], &'a [Fr]) {
    (&table[own.clone()], &table[own.start + half..own.end + half])
}

/// For each x the sum over b of n_b(x) / d_b(x).
pub fn helper(denominators: &[Fr], numerators: Option<&[Fr]>) -> Result<Vec<Fr>, Vanishing> {
    let mut inverses = denominators.to_vec();
    if !inverses.par_chunks_mut(1 << 12).all(lanes::invert) {
        return Err(Vanishing);
    }
    let size = denominators.len() / GROUP;
    let term = |place: usize| numerators.map_or(inverses[place], |n| n[place] * inverses[place]);
    Ok((0..size).into_par_iter().map(|x| (0..GROUP).map(|b| term(b * size + x)).sum()).collect())
}

/// Runs the rounds, and sends the final values. Returns the point, and them.
pub fn prove(mut lookups: Side, mut tables: Side, tau: &[Fr], lambda: &Fr, proof: &mut Writer) -> (Vec<Fr>, Finals) {
    let rounds = lookups.variables().max(tables.variables());
    let (interpolation, mut claim, mut point) = (interpolation(), Fr::from(0u64), Vec::new());
    for (round, coordinate) in tau.iter().enumerate().take(rounds) {
        let left = rounds - round;
        let weights = eq_table(&tau[round + 1..rounds]);
        let mut values = [Fr::from(0u64); DEGREE + 1];
        for (side, scale) in [(&lookups, Fr::from(1u64)), (&tables, *lambda)] {
            if side.variables() == left {
                values.iter_mut().zip(side.round(&weights)).for_each(|(total, value)| *total += scale * value);
            }
        }
        let mut coefficients: Vec<Fr> =
            interpolation.iter().map(|row| row.iter().zip(&values).map(|(c, v)| *c * v).sum()).collect();
        complete(&mut coefficients, claim, coordinate);
        proof.scalars("lookup round", &coefficients[1..]);
        let r = proof.challenge("lookup point");
        claim = horner(&coefficients, &r);
        point.push(r);
        for side in [&mut lookups, &mut tables] {
            if side.variables() == left {
                side.bind(1 << (left - 1), &r);
            }
        }
    }
    let finals = Finals {
        h: lookups.helper[0],
        f: lookups.fingerprints(),
        g: tables.helper[0],
        t: tables.fingerprints(),
        m: tables.numerators.iter().map(|values| values[0]).collect(),
    };
    proof.scalars("lookup values", &finals.words());
    (point, finals)
}

/// Row j gives the coefficient of X^j from the values at 0..=9.
fn interpolation() -> Vec<Vec<Fr>> {
    let node = |i: usize| Fr::from(i as u64);
    let mut rows = vec![vec![Fr::from(0u64); DEGREE + 1]; DEGREE + 1];
    for at in 0..=DEGREE {
        let (mut basis, mut scale) = (vec![Fr::from(1u64)], Fr::from(1u64));
        for other in (0..=DEGREE).filter(|other| *other != at) {
            scale *= node(at) - node(other);
            let shifted = [Fr::from(0u64)].into_iter().chain(basis.iter().copied());
            let scaled = basis.iter().copied().chain([Fr::from(0u64)]).map(|c| c * node(other));
            basis = shifted.zip(scaled).map(|(s, c)| s - c).collect();
        }
        for (row, c) in rows.iter_mut().zip(basis) {
            row[at] = c / scale;
        }
    }
    rows
}
