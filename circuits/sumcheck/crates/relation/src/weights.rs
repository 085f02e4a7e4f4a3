// SPDX-License-Identifier: MIT OR Apache-2.0
//! Weights of a claim on a tensor: a tensor product of factors, one for some neighbouring bits of its index each.

#![deny(clippy::indexing_slicing)]

use field::Fr;
use rayon::prelude::*;
use sumcheck::multilinear::{eq, eq_index, eq_prefix, eq_table, evaluate, prefix};

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
    /// eq(point, i / 16) * 256^(15 - i % 16) for i < size, else 0: sixteen neighbours as one integer, the first highest. Rule 68.
    Packed(Vec<Fr>, usize),
}

/// log2 of the bytes that are one integer.
pub const PACKED_BITS: usize = 4;

/// The sums of 256^(15 - j) * eq(point, j) over all j < 16 and over those below `size`; of no point, without eq.
fn packed(point: Option<&[Fr]>, size: usize) -> [Fr; 2] {
    let (mut all, mut below) = (Fr::from(1u64), Fr::from(0u64));
    for bit in 0..PACKED_BITS {
        let [zero, one] = match point.and_then(|point| point.iter().rev().nth(bit)) {
            Some(x) => [Fr::from(1u64) - x, *x],
            None => [Fr::from(1u64); 2],
        };
        let zero = zero * Fr::from(1u128 << (8 << bit));
        below = if size >> bit & 1 == 1 { zero * all + one * below } else { zero * below };
        all *= zero + one;
    }
    [all, below]
}

impl Factor {
    /// How many bits of an index it speaks of.
    pub fn bits(&self) -> usize {
        match self {
            Factor::Eq(point) | Factor::EqPrefix(point, _) => point.len(),
            Factor::Prefix(bits, _) | Factor::Dense(bits, _) => *bits,
            Factor::Packed(point, _) => point.len() + PACKED_BITS,
        }
    }

    /// The sum of all weights.
    pub fn sum(&self) -> Fr {
        match self {
            Factor::Eq(_) => Fr::from(1u64),
            Factor::EqPrefix(point, size) => prefix(point, *size),
            Factor::Prefix(bits, size) => Fr::from((*size).min(1usize.checked_shl(*bits as u32).unwrap_or(usize::MAX)) as u64),
            Factor::Dense(_, values) => values.iter().sum(),
            Factor::Packed(point, size) => {
                let ([all, below], words) = (packed(None, *size), size >> PACKED_BITS);
                prefix(point, words) * all + eq_index_below(point, words) * below
            }
        }
    }

    /// The extension of the weights at a point of as many coordinates as it has bits.
    pub fn at(&self, point: &[Fr]) -> Fr {
        match self {
            Factor::Eq(own) => eq(own, point),
            Factor::EqPrefix(own, size) => eq_prefix(own, point, *size),
            Factor::Prefix(_, size) => prefix(point, *size),
            Factor::Dense(_, values) => evaluate(values, point),
            Factor::Packed(own, size) => {
                let words = size >> PACKED_BITS;
                let Some((high, low)) = point.split_at_checked(own.len()) else { return Fr::from(0u64) };
                let [all, below] = packed(Some(low), *size);
                eq_prefix(own, high, words) * all + eq_index_below(own, words) * eq_index_below(high, words) * below
            }
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
            Factor::Packed(point, size) => {
                let power = |i: usize| Fr::from(1u128 << (8 * (15 - i % 16)));
                let entry = |(i, word): (usize, Fr)| if i < *size { word * power(i) } else { Fr::from(0u64) };
                let words = eq_table(point).into_iter().flat_map(|word| std::iter::repeat_n(word, 1 << PACKED_BITS));
                words.enumerate().map(entry).collect()
            }
        }
    }
}

/// eq(point, index), zero beyond the cube.
fn eq_index_below(point: &[Fr], index: usize) -> Fr {
    if index >> point.len() > 0 { Fr::from(0u64) } else { eq_index(point, index) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms_of_packed_weights_are_their_tables() {
        let point: Vec<Fr> = (3..11u64).map(|i| Fr::from(i * i * i) / Fr::from(i + 10)).collect();
        for (own, size) in [(0, 16), (0, 15), (0, 1), (1, 28), (1, 32), (2, 64), (2, 63), (2, 33)] {
            let factor = Factor::Packed(point[..own].to_vec(), size);
            let (table, at) = (factor.table(), &point[2..][..own + PACKED_BITS]);
            assert_eq!(factor.sum(), table.iter().sum());
            assert_eq!(factor.at(at), evaluate(&table, at));
            assert_eq!(table.iter().skip(size).copied().find(|weight| *weight != Fr::from(0u64)), None);
        }
    }
}
