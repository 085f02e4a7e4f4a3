// SPDX-License-Identifier: MIT OR Apache-2.0
//! `relation::Factor` with registers for scalars: the same weights, as instructions that compute them.

use crate::machine::{Op, Reg, Writer, exact};
use field::Fr;
use relation::weights::PACKED_BITS;

/// Weights of 2^bits entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Factor {
    /// eq(point, i).
    Eq(Vec<Reg>),
    /// eq(point, i) for i < size, else 0.
    EqPrefix(Vec<Reg>, usize),
    /// 1 for i < size, else 0.
    Prefix(usize, usize),
    /// Any, of so many bits, from a register on.
    Dense(usize, Reg),
    /// eq(point, i / 16) * 256^(15 - i % 16) for i < size, else 0.
    Packed(Vec<Reg>, usize),
    /// Of i the sum of eq(point, o) over the pairs (o, i); so many bits of i.
    Mapped(usize, Vec<Reg>, Vec<(u32, u32)>),
}

impl Factor {
    /// How many bits of an index it speaks of.
    pub fn bits(&self) -> usize {
        match self {
            Factor::Eq(point) | Factor::EqPrefix(point, _) => point.len(),
            Factor::Prefix(bits, _) | Factor::Dense(bits, _) | Factor::Mapped(bits, ..) => *bits,
            Factor::Packed(point, _) => point.len() + PACKED_BITS,
        }
    }

    /// The sum of all weights.
    pub fn sum(&self, plan: &mut Writer) -> Reg {
        match self {
            Factor::Eq(_) => plan.integer(1),
            Factor::EqPrefix(point, size) => prefix(plan, point, *size),
            Factor::Prefix(bits, size) => plan.integer((*size).min(1 << bits) as i64),
            Factor::Dense(bits, table) => plan.pure(Op::Sum, *table, *table, 1 << bits, 0, 1),
            Factor::Packed(point, size) => {
                let ([all, below], words) = (packed(plan, None, *size), size >> PACKED_BITS);
                let (whole, rest) = (prefix(plan, point, words), eq_index_below(plan, point, words));
                plan.sum(&[(whole, all), (rest, below)])
            }
            Factor::Mapped(_, point, pairs) => {
                let mut read: Vec<u32> = pairs.iter().map(|(o, _)| *o).collect();
                read.sort_unstable();
                if read.iter().zip(0..).all(|(o, place)| *o == place) {
                    return prefix(plan, point, read.len());
                }
                let table = self.table(plan);
                plan.pure(Op::Sum, table, table, 1 << self.bits(), 0, 1)
            }
        }
    }

    /// The extension of the weights at a point.
    pub fn at(&self, plan: &mut Writer, point: &[Reg]) -> Reg {
        if point.is_empty() {
            return self.sum(plan);
        }
        match self {
            Factor::Eq(own) => eq(plan, own, point),
            Factor::EqPrefix(own, size) => eq_prefix(plan, own, point, *size),
            Factor::Prefix(_, size) => prefix(plan, point, *size),
            Factor::Dense(bits, table) => {
                let a = plan.range(point);
                plan.pure(Op::Evaluate, a, *table, *bits, 0, 1)
            }
            Factor::Packed(own, size) => {
                let ((high, low), words) = (point.split_at(own.len()), size >> PACKED_BITS);
                let [all, below] = packed(plan, Some(low), *size);
                let whole = eq_prefix(plan, own, high, words);
                let rest = [eq_index_below(plan, own, words), eq_index_below(plan, high, words)];
                let rest = plan.mul(rest[0], rest[1]);
                plan.sum(&[(whole, all), (rest, below)])
            }
            Factor::Mapped(_, own, pairs) => {
                let ((a, of_own), (b, of_point)) = (halved(plan, own), halved(plan, point));
                let split = |index: u32, whole: usize, lower: usize| {
                    let (high, low) = (index as usize >> lower, index as usize & ((1 << lower) - 1));
                    [high, (1 << (whole - lower)) + low].map(|place| exact::<2>(32 * place))
                };
                let places =
                    pairs.iter().flat_map(|(o, i)| [split(*o, own.len(), of_own), split(*i, point.len(), of_point)].concat());
                let bytes: Vec<u8> = places.flatten().collect();
                let data = plan.data(&bytes);
                plan.pure(Op::PairDot, a, b, pairs.len(), data, 1)
            }
        }
    }

    /// All weights, side by side.
    pub fn table(&self, plan: &mut Writer) -> Reg {
        match self {
            Factor::Eq(point) => eq_table(plan, point),
            Factor::EqPrefix(point, size) => {
                let all = eq_table(plan, point);
                let zero = plan.integer(0);
                let entries: Vec<Reg> = (0..1 << point.len()).map(|i| if i < *size { all.plus(i) } else { zero }).collect();
                plan.range(&entries)
            }
            Factor::Prefix(bits, size) => {
                let (one, zero) = (plan.integer(1), plan.integer(0));
                let entries: Vec<Reg> = (0..1usize << bits).map(|i| if i < *size { one } else { zero }).collect();
                plan.range(&entries)
            }
            Factor::Dense(_, table) => *table,
            Factor::Packed(..) => unreachable!("an input is committed: nothing reads its weights as a table"),
            Factor::Mapped(bits, point, pairs) => {
                let table = eq_table(plan, point);
                map(plan, table, pairs, *bits)
            }
        }
    }
}

/// As `relation::weights`: the sums of 256^(15 - j) * eq(point, j) over all j < 16 and over those below `size`; of no point, without eq.
fn packed(plan: &mut Writer, point: Option<&[Reg]>, size: usize) -> [Reg; 2] {
    let (mut all, mut below) = (plan.integer(1), plan.integer(0));
    for bit in 0..PACKED_BITS {
        let (power, one) = (plan.constant(Fr::from(1u128 << (8 << bit))), plan.integer(1));
        let [zero, one] = match point {
            Some(point) => {
                let x = point[PACKED_BITS - 1 - bit];
                let complement = plan.complement(x);
                [plan.mul(power, complement), x]
            }
            None => [power, one],
        };
        let upper = plan.mul(one, below);
        let lower = plan.mul(zero, if size >> bit & 1 == 1 { all } else { below });
        below = if size >> bit & 1 == 1 { plan.add(lower, 1, upper) } else { lower };
        let both = plan.add(zero, 1, one);
        all = plan.mul(all, both);
    }
    [all, below]
}

/// Sum of eq(a, i) eq(b, i) over i < size.
fn eq_prefix(plan: &mut Writer, a: &[Reg], b: &[Reg], size: usize) -> Reg {
    if size == 0 || a.is_empty() {
        return plan.integer(size.min(1) as i64);
    }
    let (a, length, b) = (plan.range(a), a.len(), plan.range(b));
    plan.pure(Op::EqPrefix, a, b, length, size, 1)
}

/// eq(point, index), zero beyond the cube.
fn eq_index_below(plan: &mut Writer, point: &[Reg], index: usize) -> Reg {
    if index >> point.len() > 0 { plan.integer(0) } else { eq_index(plan, point, index) }
}

/// Of i the sum of table[o] over the pairs (o, i).
pub fn map(plan: &mut Writer, table: Reg, pairs: &[(u32, u32)], bits: usize) -> Reg {
    let data = plan.data(&pair_bytes(pairs));
    plan.pure(Op::Map, table, table, pairs.len(), data, 1 << bits)
}

fn pair_bytes(pairs: &[(u32, u32)]) -> Vec<u8> {
    pairs.iter().flat_map(|(o, i)| [*o, *i].map(|place| exact::<2>(place as usize)).concat()).collect()
}

/// The tables of a point's upper and lower halves, side by side, and how many coordinates the lower one has.
fn halved(plan: &mut Writer, point: &[Reg]) -> (Reg, usize) {
    let (upper, lower) = point.split_at(point.len() / 2);
    let (high, low) = (eq_table(plan, upper), eq_table(plan, lower));
    let entries = (0..1 << upper.len()).map(|i| high.plus(i)).chain((0..1 << lower.len()).map(|i| low.plus(i)));
    let entries: Vec<Reg> = entries.collect();
    (plan.range(&entries), lower.len())
}

/// eq of two points, a run of neighbouring registers at a time.
fn eq(plan: &mut Writer, a: &[Reg], b: &[Reg]) -> Reg {
    let (mut value, mut from) = (plan.integer(1), 0);
    while from < a.len() {
        let together =
            (from + 1..a.len()).take_while(|i| a[*i] == a[from].plus(i - from) && b[*i] == b[from].plus(i - from)).count() + 1;
        let (x, y) = if a[from] <= b[from] { (a[from], b[from]) } else { (b[from], a[from]) };
        let run = plan.pure(Op::Eq, x, y, together, 0, 1);
        value = plan.mul(value, run);
        from += together;
    }
    value
}

/// eq(point, i) of every i.
pub fn eq_table(plan: &mut Writer, point: &[Reg]) -> Reg {
    if point.is_empty() {
        return plan.integer(1);
    }
    let a = plan.range(point);
    plan.pure(Op::Table, a, a, point.len(), 0, 1 << point.len())
}

/// eq(point, i) of one.
pub fn eq_index(plan: &mut Writer, point: &[Reg], index: usize) -> Reg {
    let Some((last, above)) = point.split_last() else { return plan.integer(1) };
    let above = eq_index(plan, above, index >> 1); // shared by all neighbours
    let factor = if index & 1 == 1 { *last } else { plan.complement(*last) };
    plan.mul(above, factor)
}

/// The sum of eq(point, i) over i < size.
pub fn prefix(plan: &mut Writer, point: &[Reg], size: usize) -> Reg {
    if size >> point.len() > 0 {
        return plan.integer(1);
    }
    let a = plan.range(point);
    plan.pure(Op::Prefix, a, a, point.len(), size, 1)
}

/// min(i, bound) at a point.
pub fn ramp(plan: &mut Writer, point: &[Reg], bound: u64) -> Reg {
    if bound == 0 || point.is_empty() {
        return plan.integer(0);
    }
    let a = plan.range(point);
    let bound = bound.min((1 << point.len()) - 1) as usize; // beyond its last index nothing is cut
    plan.pure(Op::Ramp, a, a, point.len(), bound, 1)
}

/// The outer product as one table, the first factor at the highest bits.
pub fn outer(plan: &mut Writer, factors: &[Factor]) -> Reg {
    let (mut size, mut table) = (1, plan.integer(1));
    for factor in factors.iter().filter(|factor| factor.bits() > 0) {
        let own = factor.table(plan);
        table = if size == 1 { own } else { plan.pure(Op::Outer, table, own, 1 << factor.bits(), size, size << factor.bits()) };
        size <<= factor.bits();
    }
    table
}

/// The weights of an index at a point: each factor at its coordinates.
pub fn at(plan: &mut Writer, factors: &[Factor], mut point: &[Reg]) -> Reg {
    let mut value = plan.integer(1);
    for factor in factors {
        let (own, rest) = point.split_at(factor.bits());
        let part = factor.at(plan, own);
        value = plan.mul(value, part);
        point = rest;
    }
    value
}

/// Cuts factors so that each group speaks of as many bits as its cut, in order; `None` if a cut would go through another than `Eq`.
pub fn regroup(factors: &[Factor], cuts: &[usize]) -> Option<Vec<Vec<Factor>>> {
    let mut rest: Vec<Factor> = factors.iter().rev().filter(|f| f.bits() > 0).cloned().collect();
    cuts.iter().map(|cut| take(&mut rest, *cut)).collect()
}

fn take(rest: &mut Vec<Factor>, mut missing: usize) -> Option<Vec<Factor>> {
    let mut taken = Vec::new();
    while missing > 0 {
        match rest.pop()? {
            whole if whole.bits() <= missing => {
                missing -= whole.bits();
                taken.push(whole);
            }
            Factor::Eq(point) => {
                rest.push(Factor::Eq(point[missing..].to_vec()));
                taken.push(Factor::Eq(point[..missing].to_vec()));
                missing = 0;
            }
            _ => return None,
        }
    }
    Some(taken)
}

/// Neighbouring factors as one.
pub fn joined(plan: &mut Writer, mut factors: Vec<Factor>) -> Factor {
    if factors.len() == 1 {
        return factors.remove(0);
    }
    let point = |factor: &Factor| if let Factor::Eq(point) = factor { Some(point.clone()) } else { None };
    match factors.iter().map(point).collect::<Option<Vec<_>>>() {
        Some(points) => Factor::Eq(points.concat()),
        None => Factor::Dense(factors.iter().map(Factor::bits).sum(), outer(plan, &factors)),
    }
}
