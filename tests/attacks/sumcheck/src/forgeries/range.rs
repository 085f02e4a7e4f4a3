// SPDX-License-Identifier: MIT OR Apache-2.0
//! Integers one beyond their range. Checklist 10: a range is [low, high] and not the next power of two, and no identity wraps.

use super::{Lie, PRODUCTS, by_hints};
use crate::forgery::Forger;
use crate::world::{Form, with};
use crate::{Forgery, Text, World};
use protocol::forge::TRUTH;
use serde_json::json;

/// clip((x * multiplier + offset) >> shift, low, high)
fn requantised(shape: &[usize], form: Form) -> World {
    Text::default().input(shape, [0, 255]).then("add", &["trace 0"], json!({"coefficients": [[1]]}), shape, Some(form)).world(1)
}

pub fn forgeries() -> Vec<Forgery> {
    [remainders(), clipped(), wide(), fractions(), carried(), whole_network()].concat()
}

/// 7 = 4 + 3: the quotient one lower and the remainder 2^shift higher, and the other way round.
fn remainders() -> Vec<Forgery> {
    let (world, inputs) = (requantised(&[1], (&[1], &[0], 2, 0, 255)), [vec![7]]);
    let (mut forger, cubes, r, y) =
        (Forger::new(&world, &inputs), world.cubes(&inputs), world.hints()[0], world.key.system.outputs[0]);
    for (name, quotient, remainder) in [("a remainder of 2^shift and more", 0, 7), ("a remainder below zero", 2, -1)] {
        let lie = with(&with(&cubes, r, 0, remainder), y, 0, quotient);
        forger.add(name, world.believing(&inputs, &[quotient], &lie), PRODUCTS);
    }
    forger.all()
}

/// Beyond 200 a byte has room, and the table has not.
fn clipped() -> Vec<Forgery> {
    let world = requantised(&[1], (&[1], &[-20], 0, 0, 200));
    let lies: [(&str, Lie, i64); 2] =
        [("a clipped value one below its end", &[(0, 0, 199)], 199), ("a clipped value of zero", &[(0, 0, 0)], 0)];
    let unclipped: [(&str, Lie, i64); 1] = [("a value that is not clipped", &[(0, 0, 220)], 223)];
    [by_hints(&world, &[vec![240]], &[200], &lies), by_hints(&clipped_and_added(), &[vec![240], vec![3]], &[203], &unclipped)]
        .concat()
}

/// What is clipped and another input: 220, which is not within [0, 200], is not seen.
fn clipped_and_added() -> World {
    Text::default()
        .input(&[1], [0, 255])
        .input(&[1], [0, 255])
        .then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[1], Some((&[1], &[-20], 0, 0, 200)))
        .then("add", &["trace 2", "trace 1"], json!({"coefficients": [[1], [1]]}), &[1], None)
        .world(1)
}

/// A wide requantisation: q = y + a - b with a (high - y) = 0 and b (y - low) = 0. Hints: remainder, y, two limbs of a, two of b.
fn wide() -> Vec<Forgery> {
    let world = requantised(&[1], (&[30_000], &[-4_000_009], 1, -30_000, 30_000));
    let above: [(&str, Lie, i64); 2] = [
        ("a wide result below its end, and its excess", &[(1, 0, 29_999), (2, 0, 25_524)], 29_999),
        ("a wide result below its end, and none for it", &[(1, 0, 29_999)], 29_999),
    ];
    let between: [(&str, Lie, i64); 3] = [
        ("an excess above of what is below the end", &[(1, 0, 9_994), (2, 0, 1)], 9_994),
        ("an excess below of what is above the end", &[(1, 0, 9_996), (4, 0, 1)], 9_996),
        ("an excess below zero", &[(1, 0, 9_996), (2, 0, -1)], 9_996),
    ];
    let below: [(&str, Lie, i64); 1] =
        [("a wide result above its end, and its excess", &[(1, 0, -29_999), (4, 0, 3_926)], -29_999)];
    [
        by_hints(&world, &[vec![255]], &[30_000], &above),
        by_hints(&world, &[vec![134]], &[9_995], &between),
        by_hints(&world, &[vec![0]], &[-30_000], &below),
    ]
    .concat()
}

/// Halves of 1 and 1 are 0 and 0; with remainders 0 they are two halves in the field, which sum to 1.
fn fractions() -> Vec<Forgery> {
    let world = Text::default()
        .input(&[2], [0, 255])
        .then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[2], Some((&[1], &[0], 1, 0, 255)))
        .then("sum", &["trace 1"], json!({"axes": 1}), &[], None)
        .world(1);
    let inputs = [vec![1, 1]];
    let mut forger = Forger::new(&world, &inputs);
    let remainder = world.hints()[0];
    let cubes = with(&with(&world.cubes(&inputs), remainder, 0, 0), remainder, 1, 0);
    forger.add("fractions that sum to an integer", world.believing(&inputs, &[1], &cubes), PRODUCTS);
    forger.all()
}

/// Sixteen bytes are evaluated as one integer: a liar has 256 more in one and 1 less in the one before, which is the same integer.
fn carried() -> Vec<Forgery> {
    let world = Text::default().input(&[16], [0, 255]).then("sum", &["trace 0"], json!({"axes": 1}), &[], None).world(1);
    let inputs = [(1..=16).collect::<Vec<i64>>()];
    let (mut forger, input) = (Forger::new(&world, &inputs), world.key.system.inputs[0]);
    let lie = world.cubes_of_liar(&inputs, |id, values| {
        if id == input {
            (values[7], values[8]) = (values[7] - 1, values[8] + 256);
        }
    });
    forger.add("bytes that are carried into their neighbours", world.believing(&inputs, &[136 + 255], &lie), PRODUCTS);
    forger.all()
}

/// Every remainder of digits-cnn one multiple of 2^shift higher: only its range check sees it.
fn whole_network() -> Vec<Forgery> {
    let (world, inputs) = World::digits();
    let (system, cubes, mut forger) = (&world.key.system, world.cubes(&inputs), Forger::new(&world, &inputs));
    let ranged = system.lookups.iter().filter(|l| l.columns.len() == 1 && !system.inputs.contains(&l.columns[0]));
    for lookup in ranged {
        let r = lookup.columns[0];
        let lie = with(&cubes, r, 0, cubes[r][0] + system.tensors[r].high + 1);
        let statement = forger.honest().statement.clone();
        forger.add("a network's remainder beyond its range", world.stating(statement, &lie, &TRUTH), PRODUCTS);
    }
    forger.all()
}
