// SPDX-License-Identifier: MIT OR Apache-2.0
//! The prover's long tables: all values by their place, their weights, and the fingerprints of what is looked up.

use crate::claims::{Stored, tag};
use crate::prove::ProveError;
use compiler::{Layout, Phase};
use field::Fr;
use rayon::prelude::*;
use relation::{Column, Form, System, weights};
use std::sync::Arc;

/// Values of one task.
const PIECE: usize = 1 << 13;

/// How often each entry is looked up; what fills the cube of lookups up looks up nothing.
pub(crate) fn multiplicities(system: &System, layout: &Layout, cubes: &[Arc<Vec<i64>>]) -> Result<Vec<i64>, ProveError> {
    let mut counts = vec![0; 1 << layout.table_bits];
    counts[layout.nothing] = 1 << layout.lookup_bits;
    for (lookup, place) in system.lookups.iter().zip(&layout.lookups) {
        counts[layout.nothing] -= 1 << place.bits;
        let (table, start) = (&system.tables[lookup.table], layout.tables[lookup.table].start);
        for key in cubes[lookup.columns[0]].iter() {
            // what no table has is counted nowhere: its proof is refused
            if let Some(position) = table.position(*key) {
                counts[start + position] += 1;
            }
        }
    }
    Ok(counts)
}

pub(crate) fn fingerprints_of_lookups(system: &System, layout: &Layout, cubes: &[Arc<Vec<i64>>], beta: Fr) -> Vec<Fr> {
    let mut all = vec![Fr::from(0u64); 1 << layout.lookup_bits];
    for (lookup, place) in system.lookups.iter().zip(&layout.lookups) {
        let columns: Vec<&[i64]> = lookup.columns.iter().map(|id| cubes[*id].as_slice()).collect();
        write_fingerprints(&mut all[place.start..][..1 << place.bits], &columns, lookup.table, beta);
    }
    all
}

/// tag + sum of beta^(j + 1) * column j.
fn write_fingerprints(to: &mut [Fr], columns: &[&[i64]], table: usize, beta: Fr) {
    let powers: Vec<Fr> = std::iter::successors(Some(beta), |power| Some(*power * beta)).take(columns.len()).collect();
    to.par_chunks_mut(PIECE).enumerate().for_each(|(piece, to)| {
        let own: Vec<&[i64]> = columns.iter().map(|column| &column[piece * PIECE..][..to.len()]).collect();
        lanes::combine(to, &own, &powers, &tag(table));
    });
}

pub(crate) fn fingerprints_of_tables(system: &System, layout: &Layout, cubes: &[Arc<Vec<i64>>], beta: Fr) -> Vec<Fr> {
    let mut all = vec![Fr::from(0u64); 1 << layout.table_bits];
    for (number, (table, place)) in system.tables.iter().zip(&layout.tables).enumerate() {
        let values = |column: &Column| match column {
            Column::Values(id) => cubes[*id].clone(),
            closed => Arc::new((0..1 << place.bits).map(|i| closed.entry(i).unwrap_or(0)).collect()),
        };
        let columns: Vec<Arc<Vec<i64>>> = table.columns.iter().map(values).collect();
        let columns: Vec<&[i64]> = columns.iter().map(|column| column.as_slice()).collect();
        write_fingerprints(&mut all[place.start..][..1 << place.bits], &columns, number, beta);
    }
    all
}

pub(crate) fn is_constant(system: &System, id: usize) -> bool {
    system.tensors.get(id).is_some_and(|tensor| matches!(tensor.form, Form::Constant))
}

/// All values by their place: rows of the witness, and constants from their cubes.
pub(crate) fn in_field(system: &System, layout: &Layout, cubes: &[Arc<Vec<i64>>], witness: &[Vec<i64>]) -> Vec<Fr> {
    let size = 1 << layout.row_bits;
    let mut all = zeros(layout.rows.len() * size);
    let write = |to: &mut [Fr], values: &[i64]| {
        let piece = |(to, values): (&mut [Fr], &[i64])| lanes::combine(to, &[values], &[Fr::from(1u64)], &Fr::from(0u64));
        to.par_chunks_mut(PIECE).zip(values.par_chunks(PIECE)).for_each(piece);
    };
    for ((to, values), phase) in all.chunks_mut(size).zip(witness).zip(&layout.rows) {
        if *phase == Phase::Witness {
            write(to, values);
        }
    }
    for (id, place) in layout.tensors.iter().enumerate().filter(|(id, _)| is_constant(system, *id)) {
        let place = place.map_or(0..0, |place| place.start..place.start + (1 << place.bits));
        write(&mut all[place], &cubes[id]);
    }
    all
}

/// In parallel, since the first touch of so much memory takes its time.
pub(crate) fn zeros(count: usize) -> Vec<Fr> {
    let mut all = Vec::new();
    rayon::iter::repeat_n(Fr::from(0u64), count).collect_into_vec(&mut all);
    all
}

/// The sum of weights * values, where anything stored has a weight.
pub(crate) fn weighed(all: &[Fr], weights: &[Fr], stored: &[Stored]) -> Fr {
    let mut pieces: Vec<usize> = stored
        .iter()
        .flat_map(|Stored { place, .. }| place.start / PIECE..=(place.start + (1 << place.bits) - 1) / PIECE)
        .collect();
    pieces.sort_unstable();
    pieces.dedup();
    let of_piece = |piece: usize| {
        let own = piece * PIECE..all.len().min((piece + 1) * PIECE);
        lanes::dot(&all[own.clone()], &weights[own])
    };
    pieces.into_par_iter().map(of_piece).sum()
}

pub(crate) fn add_weights(all: &mut [Fr], stored: &Stored) {
    let place = stored.place;
    weights::add_outer(&mut all[place.start..][..1 << place.bits], &stored.coefficient, &stored.weights);
}
