// SPDX-License-Identifier: MIT OR Apache-2.0
//! Weights of a claim on a tensor: a tensor product of factors, one for some neighbouring bits of its index each.

#![deny(clippy::indexing_slicing)]

use field::Fr;
use rayon::prelude::*;
use sumcheck::multilinear::{eq, eq_prefix, eq_table, evaluate, prefix};

/// Weights of 2^bits entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Factor {
    /// eq(point, i).
    Eq(Vec<Fr>),
    /// eq(point, i) for i < size, else 0.
    EqPrefix(Vec<Fr>, usize),
    /// 1 for i < size, else 0.
    Prefix(usize, usize),
    /// Any, of so many bits.
    Dense(usize, Vec<Fr>),
}

impl Factor {
    /// How many bits of an index it speaks of.
    pub fn bits(&self) -> usize {
        match self {
            Factor::Eq(point) | Factor::EqPrefix(point, _) => point.len(),
            Factor::Prefix(bits, _) | Factor::Dense(bits, _) => *bits,
        }
    }

    /// The sum of all weights.
    pub fn sum(&self) -> Fr {
        match self {
            Factor::Eq(_) => Fr::from(1u64),
            Factor::EqPrefix(point, size) => prefix(point, *size),
            Factor::Prefix(bits, size) => Fr::from((*size).min(1usize.checked_shl(*bits as u32).unwrap_or(usize::MAX)) as u64),
            Factor::Dense(_, values) => values.iter().sum(),
        }
    }

    /// The extension of the weights at a point of as many coordinates as it has bits.
    pub fn at(&self, point: &[Fr]) -> Fr {
        match self {
            Factor::Eq(own) => eq(own, point),
            Factor::EqPrefix(own, size) => eq_prefix(own, point, *size),
            Factor::Prefix(_, size) => prefix(point, *size),
            Factor::Dense(_, values) => evaluate(values, point),
        }
    }

    /// All weights.
    pub fn table(&self) -> Vec<Fr> {
        match self {
            Factor::Eq(point) => eq_table(point),
            Factor::EqPrefix(point, size) => {
                eq_table(point).into_iter().enumerate().map(|(i, w)| if i < *size { w } else { Fr::from(0u64) }).collect()
            }
            Factor::Prefix(bits, size) => (0..1usize << bits).map(|i| Fr::from(u64::from(i < *size))).collect(),
            Factor::Dense(_, values) => values.clone(),
        }
    }
}

/// The outer product as one table, the first factor at the highest bits.
pub fn outer(factors: &[Factor]) -> Vec<Fr> {
    factors.iter().fold(vec![Fr::from(1u64)], |table, factor| {
        let own = factor.table();
        table.iter().flat_map(|high| own.iter().map(move |low| *high * low)).collect()
    })
}

/// Adds the outer product, times a coefficient, to a table of as many bits. A prover's.
pub fn add_outer(to: &mut [Fr], coefficient: &Fr, factors: &[Factor]) {
    let (high, low) = halved(factors);
    let (high, low) = (outer(&high), outer(&low));
    to.par_chunks_mut(low.len()).zip(&high).for_each(|(row, weight)| {
        if *weight != Fr::from(0u64) {
            lanes::add_scaled(row, &(*coefficient * weight), &low);
        }
    });
}

/// Two lists whose outer product is that of the whole, each about the square root of it where factors can be cut.
fn halved(factors: &[Factor]) -> (Vec<Factor>, Vec<Factor>) {
    let total: usize = factors.iter().map(Factor::bits).sum();
    let (mut high, mut low, mut bits) = (Vec::new(), Vec::new(), 0);
    for factor in factors {
        let missing = (total / 2).saturating_sub(bits);
        match factor {
            Factor::Eq(point) if point.len() > missing => {
                let (own, later) = point.split_at(missing);
                high.push(Factor::Eq(own.to_vec()));
                low.push(Factor::Eq(later.to_vec()));
            }
            whole if missing > 0 && whole.bits() <= missing => high.push(whole.clone()),
            whole => low.push(whole.clone()),
        }
        bits += factor.bits();
    }
    (high, low)
}

/// The weights of an index at a point: each factor at its coordinates.
pub fn at(factors: &[Factor], mut point: &[Fr]) -> Option<Fr> {
    let mut value = Fr::from(1u64);
    for factor in factors {
        let (own, rest) = point.split_at_checked(factor.bits())?;
        value *= factor.at(own);
        point = rest;
    }
    point.is_empty().then_some(value)
}

/// Cuts factors so that each group speaks of as many bits as its cut, in order. Equality points are cut; `None` if a cut would go
/// through another factor, or bits are left over.
pub fn regroup(factors: &[Factor], cuts: &[usize]) -> Option<Vec<Vec<Factor>>> {
    let mut rest: Vec<Factor> = factors.iter().rev().filter(|f| f.bits() > 0).cloned().collect();
    let groups = cuts.iter().map(|cut| take(&mut rest, *cut)).collect::<Option<Vec<_>>>()?;
    rest.is_empty().then_some(groups)
}

/// Takes `missing` bits from the end of a reversed list.
fn take(rest: &mut Vec<Factor>, mut missing: usize) -> Option<Vec<Factor>> {
    let mut taken = Vec::new();
    while missing > 0 {
        let next = rest.pop()?;
        match next {
            whole if whole.bits() <= missing => {
                missing -= whole.bits();
                taken.push(whole);
            }
            Factor::Eq(point) => {
                let (own, later) = point.split_at_checked(missing)?;
                rest.push(Factor::Eq(later.to_vec()));
                taken.push(Factor::Eq(own.to_vec()));
                missing = 0;
            }
            _ => return None,
        }
    }
    Some(taken)
}

/// Neighbouring factors as one.
pub fn joined(mut factors: Vec<Factor>) -> Factor {
    if factors.len() == 1 {
        return factors.remove(0);
    }
    let point = |factor: &Factor| if let Factor::Eq(point) = factor { Some(point.clone()) } else { None };
    match factors.iter().map(point).collect::<Option<Vec<_>>>() {
        Some(points) => Factor::Eq(points.concat()),
        None => Factor::Dense(factors.iter().map(Factor::bits).sum(), outer(&factors)),
    }
}
