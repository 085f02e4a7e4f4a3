// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where everything stands. Rules 55, 56.
//!
//! All that is committed is one long list of values, cut into rows of 2^n; each row is committed in one phase. A slot is a cube that
//! starts at a multiple of its size, so a bit prefix names it. Lookups and table entries stand likewise in cubes of their own,
//! the rest of which is the lookup of nothing in nothing: fingerprint 0.

#![deny(clippy::indexing_slicing)]

use relation::{Form, System};

/// When a row is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// With the key.
    Key,
    /// Before the first challenge.
    Witness,
    /// After the lookup's first challenges.
    Helper,
}

/// A cube in a list: `start` is a multiple of 2^bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its first entry.
    pub start: usize,
    /// log2 of its size.
    pub bits: usize,
}

/// See above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// log2 of a row.
    pub row_bits: usize,
    /// Each row's phase.
    pub rows: Vec<Phase>,
    /// Of each tensor that is committed.
    pub tensors: Vec<Option<Place>>,
    /// Of the table entries' multiplicities.
    pub multiplicities: Place,
    /// Of the lookups' helper.
    pub lookup_helper: Place,
    /// Of the tables' helper.
    pub table_helper: Place,
    /// Of each lookup, in the cube of lookups.
    pub lookups: Vec<Place>,
    /// log2 of that cube.
    pub lookup_bits: usize,
    /// Of each table, in the cube of entries.
    pub tables: Vec<Place>,
    /// log2 of that cube.
    pub table_bits: usize,
    /// The entry of nothing.
    pub nothing: usize,
}

/// log2 of the fractions that share a helper.
const GROUP_BITS: usize = 3;
/// A row costs a verifier 7k gas and 64 bytes, a longer one costs the prover time: rows 40 times fewer than a square would have, within
/// these bounds.
const ROWS: std::ops::RangeInclusive<usize> = 16..=40;
const FLATTER: usize = 40;
/// The shortest row, log2: what is opened in a few milliseconds.
const LEAST_ROW: usize = 10;

/// The least cube of lookups for rows of 2^n, log2: its helper fills more than one of the columns that an opening makes of a row, so that
/// none of the opening's commitments is the point at infinity.
fn opened(n: usize) -> usize {
    n.div_ceil(2) + 1 + GROUP_BITS
}

impl Layout {
    /// Lays a system out. Rows are as short as leaves no more of them than `ROWS` says.
    pub fn new(system: &System) -> Option<Self> {
        let lookup_sizes: Vec<usize> = system
            .lookups
            .iter()
            .map(|l| l.columns.first().and_then(|id| system.tensors.get(*id)).map(|t| t.bits()))
            .collect::<Option<_>>()?;
        let (lookups, looked) = pack(&lookup_sizes)?;
        let table_sizes: Vec<usize> = system.tables.iter().map(|table| table.bits).collect();
        let (tables, nothing) = pack(&table_sizes)?;
        let table_bits = relation::bits(nothing.checked_add(1)?).max(GROUP_BITS);
        let least = relation::bits(looked);
        let mut fitting = (LEAST_ROW..=32).filter_map(|n| {
            let lookup_bits = least.max(opened(n));
            let slots = slots(system, lookup_bits, table_bits)?;
            rows(&slots, n, most(&slots)?).map(|(places, rows)| (n, lookup_bits, places, rows))
        });
        let (row_bits, lookup_bits, places, rows) = fitting.next()?;
        let mut places = places.into_iter();
        let stored = |form: &Form| matches!(form, Form::Committed { .. } | Form::Constant);
        let tensors = system.tensors.iter().map(|tensor| if stored(&tensor.form) { places.next() } else { None }).collect();
        let (multiplicities, lookup_helper, table_helper) = (places.next()?, places.next()?, places.next()?);
        Some(Self {
            row_bits,
            rows,
            tensors,
            multiplicities,
            lookup_helper,
            table_helper,
            lookups,
            lookup_bits,
            tables,
            table_bits,
            nothing,
        })
    }

    /// log2 of all rows, those that are missing to a power of two included.
    pub fn total_bits(&self) -> usize {
        self.row_bits + relation::bits(self.rows.len())
    }

    /// How many rows a phase commits.
    pub fn count(&self, phase: Phase) -> usize {
        self.rows.iter().filter(|own| **own == phase).count()
    }
}

/// What is committed: each tensor's cube, multiplicities, the helpers of lookups and of tables.
fn slots(system: &System, lookup_bits: usize, table_bits: usize) -> Option<Vec<(Phase, usize)>> {
    let tensors = system.tensors.iter().filter_map(|tensor| match tensor.form {
        Form::Committed { .. } => Some((Phase::Witness, tensor.bits())),
        Form::Constant => Some((Phase::Key, tensor.bits())),
        _ => None,
    });
    let helper = |bits: usize| bits.checked_sub(GROUP_BITS).map(|bits| (Phase::Helper, bits));
    Some(tensors.chain([(Phase::Witness, table_bits), helper(lookup_bits)?, helper(table_bits)?]).collect())
}

/// How many rows there may be.
fn most(slots: &[(Phase, usize)]) -> Option<usize> {
    let total = slots.iter().try_fold(0usize, |total, (_, bits)| total.checked_add(1usize.checked_shl(*bits as u32)?))?;
    Some((total.isqrt() / FLATTER).clamp(*ROWS.start(), *ROWS.end()))
}

/// Places cubes one behind the other by falling size; returns also where they end. `None` beyond 2^40.
fn pack(sizes: &[usize]) -> Option<(Vec<Place>, usize)> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(sizes.get(*index)));
    let (mut places, mut end) = (vec![Place { start: 0, bits: 0 }; sizes.len()], 0usize);
    for index in order {
        let bits = *sizes.get(index)?;
        *places.get_mut(index)? = Place { start: end, bits };
        end = end.checked_add(if bits <= 40 { 1 << bits } else { return None })?;
    }
    (end <= 1 << 40).then_some((places, end))
}

/// Slots to rows: cubes of a row and more stand by themselves, smaller ones fill rows of their phase. `None` beyond `most` rows, which
/// a stranger's key could make more than fit in memory.
fn rows(slots: &[(Phase, usize)], n: usize, most: usize) -> Option<(Vec<Place>, Vec<Phase>)> {
    let mut units: Vec<(Phase, usize)> = Vec::new();
    let mut within: Vec<(usize, usize)> = vec![(0, 0); slots.len()]; // unit, offset in it
    for phase in [Phase::Key, Phase::Witness, Phase::Helper] {
        let own: Vec<usize> = slots.iter().enumerate().filter(|(_, (of, _))| *of == phase).map(|(index, _)| index).collect();
        let (large, small): (Vec<usize>, Vec<usize>) =
            own.into_iter().partition(|index| slots.get(*index).is_some_and(|s| s.1 >= n));
        for index in large {
            *within.get_mut(index)? = (units.len(), 0);
            units.push((phase, slots.get(index)?.1));
        }
        let sizes: Vec<usize> = small.iter().filter_map(|index| slots.get(*index)).map(|slot| slot.1).collect();
        let (places, end) = pack(&sizes)?;
        for (index, place) in small.iter().zip(places) {
            *within.get_mut(*index)? = (units.len().checked_add(place.start >> n)?, place.start & ((1 << n) - 1));
        }
        if end.div_ceil(1 << n) > most {
            return None;
        }
        units.extend(std::iter::repeat_n((phase, n), end.div_ceil(1 << n)));
    }
    let sizes: Vec<usize> = units.iter().map(|unit| unit.1).collect();
    let (bases, end) = pack(&sizes)?;
    if end >> n > most {
        return None;
    }
    let mut phases = vec![Phase::Key; end >> n];
    for ((phase, bits), base) in units.iter().zip(&bases) {
        for row in phases.iter_mut().skip(base.start >> n).take(1 << (bits - n)) {
            *row = *phase;
        }
    }
    let place = |((unit, offset), (_, bits)): (&(usize, usize), &(Phase, usize))| {
        bases.get(*unit).map(|base| Place { start: base.start + offset, bits: *bits })
    };
    Some((within.iter().zip(slots).map(place).collect::<Option<_>>()?, phases))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn more_rows_than_the_most_are_refused_before_they_are_listed() {
        for slots in [vec![(Phase::Witness, 40)], vec![(Phase::Key, 7); 1 << 8]] {
            assert_eq!(rows(&slots, 8, 64), None);
        }
    }

    proptest! {
        #[test]
        fn slots_are_aligned_and_apart_and_in_rows_of_their_phase(sizes in prop::collection::vec((0usize..3, 0usize..9), 1..40), n in 2usize..8) {
            let slots: Vec<(Phase, usize)> = sizes.iter().map(|(p, b)| ([Phase::Key, Phase::Witness, Phase::Helper][*p], *b)).collect();
            let (places, phases) = rows(&slots, n, usize::MAX).expect("small");
            let mut used = std::collections::HashSet::new();
            for (place, (phase, bits)) in places.iter().zip(&slots) {
                prop_assert_eq!(place.bits, *bits);
                prop_assert_eq!(place.start % (1 << bits), 0);
                for entry in place.start..place.start + (1 << bits) {
                    prop_assert!(used.insert(entry));
                    prop_assert_eq!(phases[entry >> n], *phase);
                }
            }
        }
    }
}
