// SPDX-License-Identifier: MIT OR Apache-2.0
//! What both sides know of claims: which ones the lookup argument leaves, and what weights they give the list of all values.

#![deny(clippy::indexing_slicing)]

use crate::statement::Statement;
use compiler::{Layout, Place};
use field::Fr;
use logup::Finals;
use relation::weights::PACKED_BITS;
use relation::{Claim, Column, Expansion, Factor, System, expand, weights};
use sumcheck::multilinear::{eq_index, eq_table};

/// coefficient * sum of weights * the cube at a place: what all claims are in the end.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub coefficient: Fr,
    pub place: Place,
    pub weights: Vec<Factor>,
}

/// Challenges of the lookup argument, and of what follows it.
pub(crate) struct Challenges {
    /// Separates the columns of a fingerprint.
    pub beta: Fr,
    /// Where the lookup argument ended.
    pub point: Vec<Fr>,
    /// Makes one of the eight sub-cubes.
    pub cube: Vec<Fr>,
    /// Where outputs, inputs and what is zero are evaluated.
    pub bind: Vec<Fr>,
    /// Batches claims, by its powers.
    pub batch: Fr,
}

/// A sum of claims with its value.
pub(crate) struct Batch {
    value: Fr,
    power: Fr,
    step: Fr,
    claims: Vec<Claim>,
    stored: Vec<Stored>,
}

impl Batch {
    pub fn new(value: Fr, step: Fr) -> Self {
        Self { value, power: Fr::from(1u64), step, claims: Vec::new(), stored: Vec::new() }
    }

    /// Adds the claim that `claims` and `stored` sum to `value`.
    pub fn add(&mut self, value: Fr, claims: impl IntoIterator<Item = Claim>, stored: impl IntoIterator<Item = Stored>) {
        let power = self.power;
        self.value += power * value;
        self.claims.extend(claims.into_iter().map(|claim| Claim { coefficient: power * claim.coefficient, ..claim }));
        self.stored.extend(stored.into_iter().map(|stored| Stored { coefficient: power * stored.coefficient, ..stored }));
        self.power *= self.step;
    }

    /// Pulls everything back. Returns the value left for what is stored and for products. `None` if the key is malformed.
    pub fn expand(mut self, system: &System, layout: &Layout) -> Option<(Fr, Vec<Stored>, Vec<Claim>)> {
        let Expansion { constant, stored, products } = expand(system, self.claims)?;
        for Claim { coefficient, tensor, weights } in stored {
            let place = (*layout.tensors.get(tensor)?)?;
            self.stored.push(Stored { coefficient, place, weights });
        }
        Some((self.value - constant, self.stored, products))
    }
}

/// The last coordinates of a point.
pub(crate) fn last(point: &[Fr], count: usize) -> Option<&[Fr]> {
    point.get(point.len().checked_sub(count)?..)
}

/// Coordinates that outputs, inputs and zeros need.
pub(crate) fn bind_bits(system: &System) -> usize {
    let ids = system.zeros.iter().chain(&system.inputs).chain(&system.outputs);
    ids.filter_map(|id| system.tensors.get(*id)).map(|tensor| tensor.bits()).max().unwrap_or(0)
}

/// Everything that must hold once the lookup argument has ended: rules 60 to 62, 68.
pub(crate) fn after_lookups(
    system: &System,
    layout: &Layout,
    statement: &Statement,
    finals: &Finals,
    given: &Challenges,
) -> Option<Batch> {
    let mut batch = Batch::new(Fr::from(0u64), given.batch);
    let combine = |values: &[Fr]| eq_table(&given.cube).iter().zip(values).map(|(w, v)| *w * v).sum::<Fr>();
    let of_lookups = [&given.cube, last(&given.point, layout.lookup_helper.bits)?].concat();
    let of_tables = [&given.cube, last(&given.point, layout.table_helper.bits)?].concat();
    let (constant, claims) = fingerprints_of_lookups(system, layout, &of_lookups, given.beta)?;
    batch.add(combine(&finals.f) - constant, claims, []);
    let (constant, claims) = fingerprints_of_tables(system, layout, &of_tables, given.beta)?;
    batch.add(combine(&finals.t) - constant, claims, []);
    let stored = |place: Place, weights: Factor, coefficient: i64| Stored {
        coefficient: Fr::from(coefficient),
        place,
        weights: vec![weights],
    };
    let own = |place: Place| Some(Factor::Eq(last(&given.point, place.bits)?.to_vec()));
    batch.add(combine(&finals.m), [], [stored(layout.multiplicities, Factor::Eq(of_tables), 1)]);
    batch.add(finals.h, [], [stored(layout.lookup_helper, own(layout.lookup_helper)?, 1)]);
    batch.add(finals.g, [], [stored(layout.table_helper, own(layout.table_helper)?, 1)]);
    let ones = |place: Place| Factor::Prefix(place.bits, 1 << place.bits);
    let (h, g) = (layout.lookup_helper, layout.table_helper);
    batch.add(Fr::from(0u64), [], [stored(h, ones(h), 1), stored(g, ones(g), -1)]);
    for id in &system.zeros {
        let at = last(&given.bind, system.tensors.get(*id)?.bits())?;
        batch.add(
            Fr::from(0u64),
            [Claim { coefficient: Fr::from(1u64), tensor: *id, weights: vec![Factor::Eq(at.to_vec())] }],
            [],
        );
    }
    let inputs = system.inputs.iter().zip(&statement.inputs).map(|public| (public, true));
    for ((id, values), given_in) in inputs.chain(system.outputs.iter().zip(&statement.outputs).map(|public| (public, false))) {
        let tensor = system.tensors.get(*id)?;
        let packed = given_in && tensor.is_packed(); // an input is committed in its interval, so bytes are what they are as one integer
        let (value, weights) = evaluation(&tensor.shape, values, packed, &given.bind)?;
        batch.add(value, [Claim { coefficient: Fr::from(1u64), tensor: *id, weights }], []);
    }
    Some(batch)
}

/// f at a point: tags, and claims on the columns. A lookup's tag is its table's number and 1.
fn fingerprints_of_lookups(system: &System, layout: &Layout, point: &[Fr], beta: Fr) -> Option<(Fr, Vec<Claim>)> {
    let (mut constant, mut claims) = (Fr::from(0u64), Vec::new());
    for (lookup, place) in system.lookups.iter().zip(&layout.lookups) {
        let (prefix, own) = point.split_at_checked(point.len().checked_sub(place.bits)?)?;
        let mut coefficient = eq_index(prefix, place.start >> place.bits);
        constant += coefficient * tag(lookup.table);
        for column in &lookup.columns {
            coefficient *= beta;
            claims.push(Claim { coefficient, tensor: *column, weights: vec![Factor::Eq(own.to_vec())] });
        }
    }
    Some((constant, claims))
}

/// T at a point: tags and closed columns, and claims on tensors.
fn fingerprints_of_tables(system: &System, layout: &Layout, point: &[Fr], beta: Fr) -> Option<(Fr, Vec<Claim>)> {
    let (mut constant, mut claims) = (Fr::from(0u64), Vec::new());
    for (number, (table, place)) in system.tables.iter().zip(&layout.tables).enumerate() {
        let (prefix, own) = point.split_at_checked(point.len().checked_sub(place.bits)?)?;
        let mut coefficient = eq_index(prefix, place.start >> place.bits);
        constant += coefficient * tag(number);
        for column in &table.columns {
            coefficient *= beta;
            match column {
                Column::Values(tensor) => {
                    claims.push(Claim { coefficient, tensor: *tensor, weights: vec![Factor::Eq(own.to_vec())] });
                }
                closed => constant += coefficient * closed.at(own)?,
            }
        }
    }
    Some((constant, claims))
}

/// What separates tables; nothing has 0.
pub(crate) fn tag(table: usize) -> Fr {
    Fr::from(table as u64) + Fr::from(1u64)
}

/// A public tensor's value at a point, over its valid positions only, and the weights of that claim.
fn evaluation(shape: &[usize], values: &[i64], packed: bool, point: &[Fr]) -> Option<(Fr, Vec<Factor>)> {
    let mut rest = last(point, shape.iter().map(|size| relation::bits(*size)).sum())?;
    let mut axes = Vec::with_capacity(shape.len());
    for (place, size) in shape.iter().enumerate() {
        let (own, later) = rest.split_at_checked(relation::bits(*size))?;
        axes.push(if packed && place + 1 == shape.len() {
            Factor::Packed(own.get(..own.len().checked_sub(PACKED_BITS)?)?.to_vec(), *size)
        } else {
            Factor::EqPrefix(own.to_vec(), *size)
        });
        rest = later;
    }
    let mut sums: Vec<Fr> = values.iter().map(|value| Fr::from(*value)).collect();
    for (axis, size) in axes.iter().zip(shape).rev() {
        let table = axis.table();
        sums = sums.chunks(*size).map(|row| row.iter().zip(&table).map(|(v, w)| *v * w).sum()).collect();
    }
    Some((sums.first().copied()?, axes))
}

/// The weights of all values at a point.
pub(crate) fn weight_at(stored: &[Stored], point: &[Fr]) -> Option<Fr> {
    stored.iter().try_fold(Fr::from(0u64), |sum, Stored { coefficient, place, weights }| {
        let (prefix, own) = point.split_at_checked(point.len().checked_sub(place.bits)?)?;
        Some(sum + *coefficient * eq_index(prefix, place.start >> place.bits) * weights::at(weights, own)?)
    })
}
