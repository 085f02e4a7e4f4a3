// SPDX-License-Identifier: MIT OR Apache-2.0
//! Another solution of an operator's constraints than the one that the operator means. Checklist 4 and 7.
//!
//! A case is a program of one operator, inputs, what is true, and lies in hints.

use super::{Lie, PRODUCTS, by_hints};
use crate::forgery::Forger;
use crate::{Forgery, Text, World};
use serde_json::{Value, json};

fn rearrange(shape: &[usize], view: &[usize], maps: &[[i64; 4]], fill: i64) -> Value {
    let permutation: Vec<usize> = (0..view.len()).collect();
    json!({"shape": shape, "view": view, "permutation": permutation, "maps": maps, "axis": 0, "fill": fill})
}

fn of_one(kind: &str, intervals: &[(&[usize], [i64; 2])], attributes: Value) -> World {
    let text = intervals.iter().fold(Text::default(), |text, (shape, interval)| text.input(shape, *interval));
    let operands: Vec<String> = (0..intervals.len()).map(|place| format!("trace {place}")).collect();
    let operands: Vec<&str> = operands.iter().map(String::as_str).collect();
    let shape: &[usize] = if attributes["axes"] == 1 || kind == "argmax" { &[] } else { &[1] };
    text.then(kind, &operands, attributes, shape, None).world(1)
}

pub fn forgeries() -> Vec<Forgery> {
    [
        division(),
        root(),
        greatest(),
        wide_greatest(),
        position(),
        comparison(),
        wide_comparison(),
        tables(),
        mantissas(),
        gathered(),
        moved(),
    ]
    .concat()
}

const BYTE: [i64; 2] = [0, 255];
const WIDE: [i64; 2] = [-300_000, 300_000];

/// 10 / 3 to the nearest: 10 + 1 = 3 * 3 + 2; 11 + 1 = 4 * 3. Hints: half the divisor, its bit, the quotient plus 1, remainder, slack.
fn division() -> Vec<Forgery> {
    let world = of_one("divide", &[(&[1], BYTE), (&[1], [1, 255])], json!({"scale": 1}));
    let of_ten: [(&str, Lie, i64); 3] = [
        ("a quotient one less, and a remainder beyond its divisor", &[(2, 0, 3), (3, 0, 5), (4, 0, -3)], 2),
        ("a quotient one more, and a remainder below zero", &[(2, 0, 5), (3, 0, -1), (4, 0, 3)], 4),
        ("a quotient one less, and nothing else", &[(2, 0, 3)], 2),
    ];
    let of_eleven: [(&str, Lie, i64); 1] =
        [("a divisor's half of zero, and a bit of three", &[(0, 0, 0), (1, 0, 3), (2, 0, 4), (3, 0, 2), (4, 0, 0)], 3)];
    [by_hints(&world, &[vec![10], vec![3]], &[3], &of_ten), by_hints(&world, &[vec![11], vec![3]], &[4], &of_eleven)].concat()
}

/// 10 = 3^2 + 1, and 10 is added, so that a root below zero is not seen. Hints: root, distance, slack.
fn root() -> Vec<Forgery> {
    let world = Text::default()
        .input(&[1], BYTE)
        .then("isqrt", &["trace 0"], json!({}), &[1], None)
        .then("add", &["trace 1", "trace 0"], json!({"coefficients": [[1], [1]]}), &[1], None)
        .world(1);
    let lies: [(&str, Lie, i64); 3] = [
        ("a root one less, and a distance beyond it", &[(0, 0, 2), (1, 0, 6), (2, 0, -2)], 12),
        ("a root one more, and a distance below zero", &[(0, 0, 4), (1, 0, -6), (2, 0, 14)], 14),
        ("a root below zero", &[(0, 0, -3), (1, 0, 1), (2, 0, -7)], 7),
    ];
    by_hints(&world, &[vec![10]], &[13], &lies)
}

/// max(3, 9). Hint: the greater one.
fn greatest() -> Vec<Forgery> {
    let world = of_one("max", &[(&[2], BYTE)], json!({"axes": 1}));
    let lies: [(&str, Lie, i64); 3] =
        [("the lesser of two", &[(0, 0, 3)], 3), ("more than both", &[(0, 0, 10)], 10), ("between both", &[(0, 0, 8)], 8)];
    by_hints(&world, &[vec![3, 9]], &[9], &lies)
}

/// The same by parts: 3 - 9 = up - down, one of which is zero. Hints: four limbs of the input, two of up, two of down.
fn wide_greatest() -> Vec<Forgery> {
    let world = of_one("max", &[(&[2], WIDE)], json!({"axes": 1}));
    let lies: [(&str, Lie, i64); 2] = [
        ("both parts of a wide difference", &[(4, 0, 1), (6, 0, 7)], 10),
        ("a part of a wide difference below zero", &[(4, 0, -6), (6, 0, 0)], 3),
    ];
    by_hints(&world, &[vec![3, 9]], &[9], &lies)
}

/// The first of the greatest. Hints: bits, distances from the greatest, those minus 1 and the bits before, the greatest.
fn position() -> Vec<Forgery> {
    let world = of_one("argmax", &[(&[3], BYTE)], json!({}));
    let second: [(&str, Lie, i64); 4] = [
        (
            "the place of the second",
            &[
                (0, 1, 0),
                (0, 2, 1),
                (1, 0, 4),
                (1, 1, -2),
                (1, 2, 0),
                (1, 3, 0),
                (2, 0, 3),
                (2, 1, -3),
                (2, 2, 0),
                (2, 3, 0),
                (3, 0, 7),
            ],
            2,
        ),
        ("no place", &[(0, 1, 0), (2, 1, -1), (2, 2, 1), (2, 3, 1)], 0),
        ("two places", &[(0, 2, 1), (2, 2, 3), (2, 3, 3)], 3),
        ("the place of a negative bit", &[(0, 0, -1), (0, 1, 2)], 2),
    ];
    let tie: [(&str, Lie, i64); 1] = [("the later one of two equal places", &[(0, 0, 0), (0, 1, 1), (2, 0, -1)], 1)];
    let beyond: [(&str, Lie, i64); 1] = [("the place of the padding", &[(0, 2, 0), (0, 3, 1), (2, 2, -1)], 3)];
    [
        by_hints(&world, &[vec![3, 9, 7]], &[1], &second),
        by_hints(&world, &[vec![9, 9, 7]], &[0], &tie),
        by_hints(&world, &[vec![3, 7, 9]], &[2], &beyond),
    ]
    .concat()
}

/// 5 < 7. Hint: the bit.
fn comparison() -> Vec<Forgery> {
    let world = of_one("compare", &[(&[1], BYTE), (&[1], BYTE)], json!({}));
    [
        by_hints(&world, &[vec![5], vec![7]], &[1], &[("a bit that says no", &[(0, 0, 0)], 0)]),
        by_hints(&world, &[vec![7], vec![7]], &[0], &[("a bit that says yes of equals", &[(0, 0, 1)], 1)]),
    ]
    .concat()
}

/// The same: x - y + 2^20 z is within [0, 2^20). Hints: eight limbs of the inputs, the bit, two limbs of what is lifted.
fn wide_comparison() -> Vec<Forgery> {
    let world = of_one("compare", &[(&[1], WIDE), (&[1], WIDE)], json!({}));
    let no: [(&str, Lie, i64); 2] = [
        ("a wide bit that nothing follows from", &[(8, 0, 0)], 0),
        ("a wide bit that says no, and what is lifted below zero", &[(8, 0, 0), (9, 0, -2), (10, 0, 0)], 0),
    ];
    let yes: [(&str, Lie, i64); 1] =
        [("a wide bit that says yes, and what is lifted beyond its bits", &[(8, 0, 1), (9, 0, 2), (10, 0, 16)], 1)];
    [by_hints(&world, &[vec![5], vec![7]], &[1], &no), by_hints(&world, &[vec![7], vec![5]], &[0], &yes)].concat()
}

/// Values that stand elsewhere in the table. Hint: the value.
fn tables() -> Vec<Forgery> {
    let squares: Vec<i64> = (0..16).map(|i| i * i).collect();
    let lookup = Text::default().constant(&[16], &squares).input(&[1], [0, 15]);
    let lookup = lookup.then("lookup", &["trace 0", "constant 0"], json!({"base": 0, "mantissa": 0}), &[1], None).world(1);
    let gather = Text::default().constant(&[4, 1], &[7, 70, 17, 2]).input(&[1], [0, 3]);
    let gather = gather.then("gather", &["constant 0", "trace 0"], json!({}), &[1, 1], None).world(1);
    [
        by_hints(
            &lookup,
            &[vec![5]],
            &[25],
            &[("another entry of a function's table", &[(0, 0, 36)], 36), ("no entry of it", &[(0, 0, 26)], 26)],
        ),
        by_hints(
            &gather,
            &[vec![1]],
            &[70],
            &[("another row of a constant", &[(0, 0, 17)], 17), ("no row of it", &[(0, 0, 3)], 3)],
        ),
    ]
    .concat()
}

/// A table by mantissas of two bits: 11 stands with 10 at position 9. Hints: position, what x is more than the first there, what the last
/// there is more than x, value.
fn mantissas() -> Vec<Forgery> {
    let squares: Vec<i64> = (0..12).map(|i| i * i).collect();
    let world = Text::default().constant(&[12], &squares).input(&[1], [0, 15]);
    let world = world.then("lookup", &["trace 0", "constant 0"], json!({"base": 0, "mantissa": 2}), &[1], None).world(1);
    let lies: [(&str, Lie, i64); 4] = [
        ("another entry of a table by mantissa", &[(3, 0, 100)], 100),
        ("another position in it, and its entry", &[(0, 0, 10), (3, 0, 100)], 100),
        ("the next position, and a remainder below zero", &[(0, 0, 10), (1, 0, -1), (2, 0, 2), (3, 0, 100)], 100),
        ("the position before, and a remainder beyond its width", &[(0, 0, 8), (1, 0, 3), (2, 0, -2), (3, 0, 64)], 64),
    ];
    by_hints(&world, &[vec![11]], &[81], &lies)
}

/// Rows of a tensor that the run itself gives, for two runs at once: 70 of the first, 8 of the second. Hint: both rows.
fn gathered() -> Vec<Forgery> {
    let text = Text::default().input(&[4, 1], BYTE).input(&[1], [0, 3]);
    let world = text.then("gather", &["trace 0", "trace 1"], json!({}), &[1, 1], None).world(2);
    let lies: [(&str, Lie, i64); 3] = [
        ("another row of a tensor", &[(0, 0, 17)], 17),
        ("no row of it", &[(0, 0, 5)], 5),
        ("the same row of another run", &[(0, 0, 6)], 6),
    ];
    by_hints(&world, &[vec![7, 70, 17, 2, 9, 6, 8, 1], vec![1, 2]], &[70, 8], &lies)
}

/// An axis of one entry that is repeated three times, summed: three times the entry, not once.
fn moved() -> Vec<Forgery> {
    let world = Text::default()
        .input(&[1], BYTE)
        .then("add", &["trace 0"], json!({"coefficients": [[2]]}), &[1], None)
        .then("rearrange", &["trace 1"], rearrange(&[3], &[1], &[[3, 0, 0, 1]], 0), &[3], None)
        .then("sum", &["trace 2"], json!({"axes": 1}), &[], None)
        .world(1);
    let inputs = [vec![5]];
    let mut forger = Forger::new(&world, &inputs);
    assert_eq!(forger.honest().statement.outputs[0], [30]);
    forger.add("a repeated entry that counts once", world.believing(&inputs, &[10], &world.cubes(&inputs)), PRODUCTS);
    forger.all()
}
