// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values where a tensor has none: axes are padded to powers of two. Checklist 11: padding must not help.
//!
//! A liar has 7 in the padding of an input, which nobody checks, and claims what a program would give that read it.

use super::PRODUCTS;
use crate::forgery::Forger;
use crate::world::with;
use crate::{Forgery, Text, World};
use serde_json::{Value, json};

/// Lies in the last entry of the first input's cube, and in everything that an honest prover finds from there.
fn padded(name: &'static str, world: &World, inputs: &[Vec<i64>], truth: &[i64], lie: &[i64]) -> Vec<Forgery> {
    let mut forger = Forger::new(world, inputs);
    assert_eq!(forger.honest().statement.outputs[0], truth, "{name}");
    let source = world.key.system.inputs[0];
    let cubes = world.cubes_of_liar(inputs, |id, values| {
        if id == source {
            let last = values.len() - 1;
            values[last] = 7;
        }
    });
    forger.add(name, world.believing(inputs, lie, &cubes), PRODUCTS);
    // and one who believes his own output
    let output = world.key.system.outputs[0];
    if lie.len() == 1 {
        forger.add(name, world.believing(inputs, lie, &with(&cubes, output, 0, lie[0])), PRODUCTS);
    }
    forger.all()
}

fn rearrange(shape: &[usize], view: &[usize], maps: &[[i64; 4]], fill: i64) -> Value {
    let permutation: Vec<usize> = (0..view.len()).collect();
    json!({"shape": shape, "view": view, "permutation": permutation, "maps": maps, "axis": 0, "fill": fill})
}

fn windows(kernel: usize, pads: [usize; 2]) -> Value {
    json!({"x_zero": 0, "w_zero": 0, "axes": 0, "kernel": [kernel], "pads": pads, "strides": [1], "dilations": [1], "groups": 1})
}

const BYTE: [i64; 2] = [0, 255];

pub fn forgeries() -> Vec<Forgery> {
    let inputs = [vec![1, 2, 3]];
    let sum = Text::default().input(&[3], BYTE).then("sum", &["trace 0"], json!({"axes": 1}), &[], None).world(1);
    let matmul = Text::default()
        .input(&[1, 3], BYTE)
        .input(&[1, 3], BYTE)
        .then("matmul", &["trace 0", "trace 1"], json!({"x_zero": 0, "w_zero": 0}), &[1, 1], None)
        .world(1);
    let conv = Text::default()
        .input(&[1, 3, 1], BYTE)
        .constant(&[1, 3, 1], &[1, 1, 1])
        .then("conv", &["trace 0", "constant 0"], windows(3, [1, 1]), &[1, 3, 1], None)
        .world(1);
    let shared = [vec![1, 2, 3], vec![1, 1, 1]];
    [
        padded("a sum over the padding", &sum, &inputs, &[6], &[13]),
        padded("a product with the padding", &matmul, &shared, &[6], &[13]),
        filled(),
        joined(),
        padded("a tap that reads the padding", &conv, &inputs, &[3, 6, 5], &[3, 6, 12]),
        greatest(),
    ]
    .concat()
}

/// An axis of three padded to four: the fourth entry is the fill value, not what a prover has in the cube's padding.
fn filled() -> Vec<Forgery> {
    let of = |fill: i64| {
        let attributes = rearrange(&[4], &[3], &[[4, 0, 1, 1]], fill);
        let world = Text::default().input(&[3], BYTE).then("rearrange", &["trace 0"], attributes, &[4], None).world(1);
        padded("a filled entry that is the padding", &world, &[vec![1, 2, 3]], &[1, 2, 3, fill], &[1, 2, 3, fill + 7])
    };
    [of(0), of(9)].concat()
}

/// Three entries and one are four.
fn joined() -> Vec<Forgery> {
    let attributes = rearrange(&[4], &[4], &[[4, 0, 1, 1]], 0);
    let world = Text::default()
        .input(&[3], BYTE)
        .input(&[1], BYTE)
        .then("rearrange", &["trace 0", "trace 1"], attributes, &[4], None)
        .world(1);
    padded("a joined entry with its neighbour's padding", &world, &[vec![1, 2, 3], vec![4]], &[1, 2, 3, 4], &[1, 2, 3, 11])
}

/// Of windows at the end of an axis, and of the whole axis.
fn greatest() -> Vec<Forgery> {
    let of_window =
        Text::default().input(&[1, 3, 1], BYTE).then("max", &["trace 0"], windows(2, [0, 1]), &[1, 3, 1], None).world(1);
    let of_all = Text::default().input(&[3], BYTE).then("max", &["trace 0"], json!({"axes": 1}), &[], None).world(1);
    let inputs = [vec![1, 2, 3]];
    [
        padded("a window's greatest from the padding", &of_window, &inputs, &[2, 3, 3], &[2, 3, 7]),
        padded("a greatest from the padding", &of_all, &inputs, &[3], &[7]),
    ]
    .concat()
}
