// SPDX-License-Identifier: MIT OR Apache-2.0
//! A true proof that is said to show something else. Checklist 1: before the first challenge all that is public is absorbed.

use super::{INTERVAL, LOOKUPS, PRODUCTS, STATEMENT};
use crate::forgery::Forger;
use crate::{Forgery, Text, World};
use protocol::Statement;
use protocol::forge::TRUTH;
use serde_json::json;

/// x + y and x + c y, two bytes each; both are outputs.
fn text(c: i64) -> Text {
    Text::default()
        .input(&[2], [0, 255])
        .input(&[2], [0, 255])
        .then("add", &["trace 0", "trace 1"], json!({"coefficients": [[1], [1]]}), &[2], None)
        .then("add", &["trace 0", "trace 1"], json!({"coefficients": [[1], [c]]}), &[2], None)
        .outputs(&[2, 3])
}

type Lie = fn(&mut Statement);

const INPUTS: [[i64; 2]; 2] = [[1, 2], [30, 4]];

fn inputs() -> Vec<Vec<i64>> {
    INPUTS.map(|values| values.to_vec()).to_vec()
}

pub fn forgeries() -> Vec<Forgery> {
    let world = text(2).world(1);
    let mut forger = Forger::new(&world, &inputs());
    forger.add_statement("a proof for another context", |s| s.context[0] ^= 1, LOOKUPS);
    let lies: [(&str, &str, Lie); 5] = [
        ("a proof of another input", "a proof for another input", |s| s.inputs[0][1] ^= 1),
        ("a proof of another output", "a proof for another output", |s| s.outputs[1][0] += 1),
        ("a proof of inputs in another order", "a proof for inputs in another order", |s| s.inputs.swap(0, 1)),
        ("a proof of outputs in another order", "a proof for outputs in another order", |s| s.outputs.swap(0, 1)),
        ("a proof of entries in another order", "a proof for entries in another order", |s| s.outputs[0].swap(0, 1)),
    ];
    let cubes = world.cubes(&inputs());
    for (replayed, made, lie) in lies {
        forger.add_statement(replayed, lie, LOOKUPS);
        let mut statement = forger.honest().statement.clone();
        lie(&mut statement);
        forger.add(made, world.stating(statement, &cubes, &TRUTH), PRODUCTS);
    }
    forger.add_statement("an output beyond its interval", |s| s.outputs[0][0] += 1 << 40, INTERVAL);
    forger.add_statement("an output of i64::MIN", |s| s.outputs[0][0] = i64::MIN, INTERVAL);
    forger.add_statement("an input that is read as another", |s| s.inputs[0][0] += 256, INTERVAL);
    forger.add_statement("an output too few", |s| s.outputs[1].truncate(1), STATEMENT);
    forger.add_statement("an output too many", |s| s.outputs[1].push(1), STATEMENT);
    forger.add_statement("no input", |s| s.inputs.clear(), STATEMENT);
    forger.add_statement("one tensor more", |s| s.outputs.push(vec![0, 0]), STATEMENT);
    [forger.all(), of_another_key(&world), of_another_layout(&world)].concat()
}

/// The same words under a key of the same shape: of another program, of the same constraints by another name, of another secret.
fn of_another_key(world: &World) -> Vec<Forgery> {
    let shown = world.honest(&inputs());
    let under = |name, other: World| {
        let mut forger = Forger::new(&other, &inputs());
        forger.add(name, shown.clone(), LOOKUPS);
        forger.all()
    };
    [
        under("a proof of another program", text(3).world(1)),
        under("a proof of the same constraints by another name", text(2).named([8; 32]).world(1)),
        under("a proof under another reference string", text(2).under(&crate::world::OTHER_SRS).world(1)),
    ]
    .concat()
}

/// One input of two bytes, shown to the key for two inputs of one.
fn of_another_layout(world: &World) -> Vec<Forgery> {
    let two = Text::default()
        .input(&[1], [0, 255])
        .input(&[1], [0, 255])
        .then("add", &["trace 0", "trace 1"], json!({"coefficients": [[1], [1]]}), &[1], None)
        .then("add", &["trace 0", "trace 1"], json!({"coefficients": [[1], [2]]}), &[1], None)
        .outputs(&[2, 3])
        .world(2);
    let mut forger = Forger::new(&two, &inputs());
    forger.add("a proof of another count of inputs", world.honest(&inputs()), LOOKUPS);
    forger.all()
}
