// SPDX-License-Identifier: MIT OR Apache-2.0
//! Entries of no table, of another one, and counts that are none. Checklist 5: what a lookup argument must assure.

use super::{LOOKUPS, PRODUCTS};
use crate::forgery::Forger;
use crate::{Cubes, Forgery, Text, World};
use field::Fr;
use protocol::forge::{Says, TRUTH};
use serde_json::json;
use std::sync::Arc;

/// Half of a byte. Half of 3 is 1 and the remainder 1: a liar says 0, and 3, which is in the table of bytes and not in that of bits.
fn halved() -> (World, Cubes) {
    let halve = Some((&[1][..], &[0][..], 1, 0, 255));
    let world =
        Text::default().input(&[1], [0, 255]).then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[1], halve).world(1);
    let mut cubes = world.cubes(&[vec![3]]);
    cubes[world.hints()[0]] = Arc::new(vec![3]);
    cubes[world.key.system.outputs[0]] = Arc::new(vec![0]);
    (world, cubes)
}

pub fn forgeries() -> Vec<Forgery> {
    [of_tables(), of_nothing()].concat()
}

fn of_tables() -> Vec<Forgery> {
    let (world, lie) = halved();
    let inputs = [vec![3]];
    let (mut forger, layout) = (Forger::new(&world, &inputs), &world.key.verifier.layout);
    let table = |bits: usize| {
        let found = world.key.system.tables.iter().position(|table| table.bits == bits && table.columns.len() == 1);
        layout.tables[found.expect("a table")].start
    };
    let (bytes, bits) = (table(8), table(1));
    let mut lying = |name, cubes: &Cubes, says: &Says, fault| {
        forger.add(name, world.saying(&inputs, &[0], cubes, says), fault);
    };
    lying("an entry of no table", &lie, &TRUTH, PRODUCTS);
    lying("an entry of another table", &lie, &Says { counts: &|counts| counts[bytes + 3] += 1, ..TRUTH }, PRODUCTS);
    let instead = |counts: &mut [i64]| (counts[bits + 1], counts[bits]) = (0, 1);
    lying("an entry that is counted as another", &lie, &Says { counts: &instead, ..TRUTH }, PRODUCTS);
    let below = |counts: &mut [i64]| (counts[bits + 1], counts[bits]) = (-1, 2);
    lying("counts below zero", &lie, &Says { counts: &below, ..TRUTH }, PRODUCTS);
    let beyond = |counts: &mut [i64]| counts[bits] = i64::MAX;
    lying("a count beyond all lookups", &lie, &Says { counts: &beyond, ..TRUTH }, PRODUCTS);
    let nothing = |counts: &mut [i64]| counts[layout.nothing] += 1;
    lying("an entry that is counted as nothing", &lie, &Says { counts: &nothing, ..TRUTH }, PRODUCTS);
    lying("no counts", &lie, &Says { counts: &|counts| counts.fill(0), ..TRUTH }, PRODUCTS);
    // both helpers have one sum, as they must; one of them is no sum of fractions
    let difference = |h: &[Fr], g: &[Fr]| g.iter().sum::<Fr>() - h.iter().sum::<Fr>();
    let bent = |h: &mut [Fr], g: &mut [Fr]| h[0] += difference(h, g);
    lying("an entry of no table, and a lookup helper that fits", &lie, &Says { sides: &bent, ..TRUTH }, LOOKUPS);
    let bent = |h: &mut [Fr], g: &mut [Fr]| g[0] -= difference(h, g);
    lying("an entry of no table, and a table helper that fits", &lie, &Says { sides: &bent, ..TRUTH }, LOOKUPS);
    let none = |h: &mut [Fr], g: &mut [Fr]| {
        h.fill(Fr::from(0u64));
        g.fill(Fr::from(0u64));
    };
    lying("helpers of zeros", &lie, &Says { sides: &none, ..TRUTH }, LOOKUPS);
    forger.all()
}

/// What fills the lookups up is the entry of nothing, 0 whatever its columns. clip(0, 5, 9) = 0 is no entry of any table, even of the first.
fn of_nothing() -> Vec<Forgery> {
    let world = Text::default()
        .input(&[1], [0, 255])
        .input(&[1], [0, 255])
        .then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[1], Some((&[1], &[0], 0, 5, 9)))
        .then("add", &["trace 2", "trace 1"], json!({"coefficients": [[1], [1]]}), &[1], None)
        .world(1)
        .led_by_a_table_of(2);
    let inputs = [vec![0], vec![10]];
    let (mut forger, clipped, layout) = (Forger::new(&world, &inputs), world.hints()[0], &world.key.verifier.layout);
    assert_eq!(forger.honest().statement.outputs[0], [15]);
    let lie = world.cubes_of_liar(&inputs, |id, values| {
        if id == clipped {
            values[0] = 0
        }
    });
    let counted = |counts: &mut [i64]| {
        counts[layout.tables[0].start] -= 1;
        counts[layout.nothing] += 1;
    };
    forger.add(
        "nothing as an entry of the first table",
        world.saying(&inputs, &[10], &lie, &Says { counts: &counted, ..TRUTH }),
        PRODUCTS,
    );
    forger.all()
}
