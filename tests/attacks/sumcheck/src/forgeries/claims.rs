// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that fit the sums and are not those that were committed to. Each goes one check further than the one before: the last is
//! stopped by the pairing alone.

use super::{CLAIMS, LOOKUPS, OPENING, PRODUCTS};
use crate::forgery::Forger;
use crate::{Forgery, Text, World};
use field::Fr;
use protocol::forge::{Says, TRUTH};
use serde_json::json;

/// y = x, two bytes.
fn identity() -> World {
    Text::default().input(&[2], [0, 255]).then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[2], None).world(1)
}

/// y = a b, one byte each.
fn product() -> World {
    let attributes = json!({"x_zero": 3, "y_zero": 0});
    Text::default()
        .input(&[1], [0, 255])
        .input(&[1], [0, 255])
        .then("mul", &["trace 0", "trace 1"], attributes, &[1], None)
        .world(1)
}

pub fn forgeries() -> Vec<Forgery> {
    [of_sums(), of_commitments(), of_factors()].concat()
}

/// The output is 7, not 6: so is the sum over what is stored, so is the last value, so is the polynomial that is opened.
fn of_sums() -> Vec<Forgery> {
    let (world, inputs, lie) = (identity(), [vec![5, 6]], [5, 7]);
    let (mut forger, cubes) = (Forger::new(&world, &inputs), world.cubes(&inputs));
    let left = |left: Fr, _: Fr| left;
    forger.add("a false output", world.believing(&inputs, &lie, &cubes), PRODUCTS);
    forger.add("a false sum over what is stored", world.saying(&inputs, &lie, &cubes, &Says { stored: &left, ..TRUTH }), CLAIMS);
    let value = |(claim, weight): (Fr, Fr), _: &[Fr], (end, _): (&mut Fr, &mut [Fr])| *end = claim / weight;
    let says = Says { stored: &left, value: &value, ..TRUTH };
    forger.add("a last value that fits", world.saying(&inputs, &lie, &cubes, &says), OPENING);
    let says = Says { stored: &left, value: &opened_as_said, ..TRUTH };
    forger.add("an opening of another polynomial", world.saying(&inputs, &lie, &cubes, &says), OPENING);
    let cancel = world.believing(&[vec![6, 5]], &[4, 5], &world.cubes(&[vec![5, 5]]));
    forger.add("two lies that cancel", cancel, PRODUCTS);
    let mut spliced = forger.honest().clone();
    let other = world.stating(protocol::Statement { context: [4; 32], ..spliced.statement.clone() }, &cubes, &TRUTH);
    let opening = spliced.words.len() - 22..;
    spliced.words[opening.clone()].copy_from_slice(&other.words[opening]);
    forger.add("the opening of another proof", spliced, OPENING);
    forger.all()
}

/// The value that fits, and a polynomial that has it where it is opened: entry 0 is changed by as much as is needed.
fn opened_as_said((claim, weight): (Fr, Fr), low: &[Fr], (end, folded): (&mut Fr, &mut [Fr])) {
    let first: Fr = low.iter().map(|x| Fr::from(1u64) - x).product();
    folded[0] += (claim / weight - *end) / first;
    *end = claim / weight;
}

/// What was committed to is not what is spoken of.
fn of_commitments() -> Vec<Forgery> {
    let (world, inputs) = (identity(), [vec![5, 6]]);
    let (mut forger, cubes) = (Forger::new(&world, &inputs), world.cubes(&inputs));
    let layout = &world.key.verifier.layout;
    let row = |place: usize| (place >> layout.row_bits, place & ((1 << layout.row_bits) - 1));
    let mut witness = |name, place: usize| {
        let (row, column) = row(place);
        let raised = |rows: &mut [Vec<i64>]| rows[row][column] += 1;
        forger.add(name, world.saying(&inputs, &[5, 6], &cubes, &Says { witness: &raised, ..TRUTH }), PRODUCTS);
    };
    witness("a commitment to another multiplicity", layout.multiplicities.start);
    let input = layout.tensors[world.key.system.inputs[0]].expect("a place");
    witness("a commitment to another input", input.start);
    for (name, place) in [
        ("a commitment to another lookup helper", layout.lookup_helper),
        ("a commitment to another table helper", layout.table_helper),
    ] {
        // what is moved from one entry to the next changes no sum
        let moved = |all: &mut [Fr]| {
            all[place.start] += Fr::from(1u64);
            all[place.start + 1] -= Fr::from(1u64);
        };
        forger.add(name, world.saying(&inputs, &[5, 6], &cubes, &Says { helpers: &moved, ..TRUTH }), PRODUCTS);
    }
    let mut exchanged = forger.honest().clone();
    let rows = 2 * layout.count(compiler::Phase::Witness);
    exchanged.words.copy_within(rows..rows + 2, 0);
    forger.add("a helper's row in the place of a witness's", exchanged, LOOKUPS);
    forger.all()
}

/// 7 * 6 is 43, by factors that multiply to what the sumcheck ended in.
fn of_factors() -> Vec<Forgery> {
    let (world, inputs, lie) = (product(), [vec![10], vec![6]], [43]);
    let (mut forger, cubes) = (Forger::new(&world, &inputs), world.cubes(&inputs));
    forger.add("a false product", world.believing(&inputs, &lie, &cubes), PRODUCTS);
    forger.add("a left factor that fits", world.saying(&inputs, &lie, &cubes, &Says { factors: &fitted::<0>, ..TRUTH }), CLAIMS);
    forger.add("a right factor that fits", world.saying(&inputs, &lie, &cubes, &Says { factors: &fitted::<1>, ..TRUTH }), CLAIMS);
    let says = Says { factors: &fitted::<0>, value: &opened_as_said, ..TRUTH };
    forger.add("a factor that fits, and an opening of another polynomial", world.saying(&inputs, &lie, &cubes, &says), OPENING);
    forger.all()
}

/// What must be is linear in one factor.
fn fitted<const FACTOR: usize>(claim: Fr, must_be: &dyn Fn(&[Fr]) -> Option<Fr>, sent: &mut [Fr]) {
    let now = must_be(sent).expect("products");
    sent[FACTOR] += Fr::from(1u64);
    let slope = must_be(sent).expect("products") - now;
    sent[FACTOR] += (claim - now) / slope - Fr::from(1u64);
}
