// SPDX-License-Identifier: MIT OR Apache-2.0
//! Inputs that run at once, each with an operand of its own: what one has must not reach another.

use super::PRODUCTS;
use crate::forgery::Forger;
use crate::{Forgery, Text};
use serde_json::{Value, json};

type Outputs = [i64; 8];

/// A lie, an operator, its attributes, what it gives, and what it would give if the second operand's rows were mixed up.
fn by_rows() -> [(&'static str, &'static str, Value, Outputs, Outputs); 3] {
    [
        (
            "another input's addend",
            "add",
            json!({"coefficients": [[1], [1]]}),
            [3, 4, 2, 3, 6, 7, 12, 13],
            [3, 4, 4, 5, 4, 5, 12, 13],
        ),
        (
            "another input's factor",
            "mul",
            json!({"x_zero": 0, "y_zero": 0}),
            [2, 4, 1, 2, 9, 12, 27, 36],
            [2, 4, 3, 4, 3, 6, 27, 36],
        ),
        ("another input's bound", "compare", json!({}), [0, 0, 0, 1, 0, 1, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0]),
    ]
}

pub fn forgeries() -> Vec<Forgery> {
    let mut all = Vec::new();
    for (name, kind, attributes, outputs, mixed) in by_rows() {
        let world = Text::default()
            .input(&[2, 2], [0, 255])
            .input(&[2], [0, 255])
            .then(kind, &["trace 0", "trace 1"], attributes, &[2, 2], None)
            .world(2);
        let inputs = [vec![2, 2, 1, 1, 3, 3, 9, 9], vec![1, 2, 3, 4]];
        let mut forger = Forger::new(&world, &inputs);
        assert_eq!(forger.honest().statement.outputs[0], outputs);
        forger.add(name, world.believing(&inputs, &mixed, &world.cubes(&inputs)), PRODUCTS);
        let exchanged = [&outputs[4..], &outputs[..4]].concat();
        forger.add("another input's outputs", world.believing(&inputs, &exchanged, &world.cubes(&inputs)), PRODUCTS);
        all.extend(forger.all());
    }
    all.extend(by_a_matrix());
    all
}

/// Each has a matrix that all of its own rows are multiplied by.
fn by_a_matrix() -> Vec<Forgery> {
    let world = Text::default()
        .input(&[2, 1, 2], [0, 255])
        .input(&[1, 2], [0, 1023])
        .then("matmul", &["trace 0", "trace 1"], json!({"x_zero": 0, "w_zero": 0}), &[2, 1, 1], None)
        .world(2);
    let inputs = [vec![1, 2, 3, 4, 5, 6, 7, 8], vec![1, 10, 100, 1000]];
    let mut forger = Forger::new(&world, &inputs);
    assert_eq!(forger.honest().statement.outputs[0], [21, 43, 6500, 8700]);
    let mixed = world.believing(&inputs, &[21, 4300, 65, 8700], &world.cubes(&inputs));
    forger.add("another input's matrix", mixed, PRODUCTS);
    forger.all()
}
