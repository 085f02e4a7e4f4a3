// SPDX-License-Identifier: MIT OR Apache-2.0
//! Provers who look for another solution of an operator's constraints than the one that the operator means.

use crate::small::{Text, World};
use relation::{Form, TensorId};
use serde_json::{Value, json};
use std::sync::Arc;
use sumcheck::Fault;

const ACCEPTED: Result<(), Fault> = Ok(());

fn rejected(verdict: Result<(), Fault>) -> bool {
    matches!(verdict, Err(Fault::Rejected(_)))
}

fn rearrange(shape: &[usize], view: &[usize], maps: &[[i64; 4]], fill: i64) -> Value {
    let permutation: Vec<usize> = (0..view.len()).collect();
    json!({"shape": shape, "view": view, "permutation": permutation, "maps": maps, "axis": 0, "fill": fill})
}

/// The committed tensors, without those of an input.
fn hints(world: &World) -> Vec<TensorId> {
    let tensors = world.key.system.tensors.iter().enumerate();
    let committed =
        tensors.filter(|(id, tensor)| matches!(tensor.form, Form::Committed { .. }) && !world.key.system.inputs.contains(id));
    committed.map(|(id, _)| id).collect()
}

/// Halves of 1 and 1 are 0 and 0; with remainders 0 they are two halves in the field, which sum to 1.
#[test]
fn fractions_that_sum_to_an_integer_are_rejected() {
    let halve = Some((&[1][..], &[0][..], 1, 0, 255));
    let world = Text::default()
        .input(&[2], [0, 255])
        .then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[2], halve)
        .then("sum", &["trace 1"], json!({"axes": 1}), &[], None)
        .world(1);
    let inputs = [vec![1, 1]];
    assert_eq!(world.honest(&inputs, &[0]), ACCEPTED);
    let mut cubes = world.cubes(&inputs);
    let remainder = hints(&world)[0];
    assert_eq!(*cubes[remainder], [1, 1]);
    cubes[remainder] = Arc::new(vec![0, 0]);
    assert!(rejected(world.believing(&inputs, &[1], &cubes)));
}

/// An axis of one entry that is repeated three times, summed: three times the entry, not once.
#[test]
fn a_repeated_entry_counts_as_often_as_it_is_repeated() {
    let world = Text::default()
        .input(&[1], [0, 255])
        .then("add", &["trace 0"], json!({"coefficients": [[2]]}), &[1], None)
        .then("rearrange", &["trace 1"], rearrange(&[3], &[1], &[[3, 0, 0, 1]], 0), &[3], None)
        .then("sum", &["trace 2"], json!({"axes": 1}), &[], None)
        .world(1);
    let inputs = [vec![5]];
    assert!(rejected(world.honest(&inputs, &[10])));
    assert_eq!(world.honest(&inputs, &[30]), ACCEPTED);
}

/// An axis of three padded to four: the fourth entry is the fill value, not what a prover has in the cube's padding.
#[test]
fn a_filled_entry_is_not_the_padding_of_the_source() {
    for fill in [0, 9] {
        let world = Text::default()
            .input(&[3], [0, 255])
            .then("rearrange", &["trace 0"], rearrange(&[4], &[3], &[[4, 0, 1, 1]], fill), &[4], None)
            .world(1);
        let inputs = [vec![1, 2, 3]];
        assert_eq!(world.honest(&inputs, &[1, 2, 3, fill]), ACCEPTED);
        let liar = world.cubes_of_liar(&inputs, |_, values| {
            if values[..] == [1, 2, 3, 0] {
                values[3] = 7
            }
        });
        assert!(rejected(world.believing(&inputs, &[1, 2, 3, fill + 7], &liar)));
    }
}

/// The same where tensors of three and of one entry are joined.
#[test]
fn a_joined_entry_is_not_the_padding_of_its_neighbour() {
    let world = Text::default()
        .input(&[3], [0, 255])
        .input(&[1], [0, 255])
        .then("rearrange", &["trace 0", "trace 1"], rearrange(&[4], &[4], &[[4, 0, 1, 1]], 0), &[4], None)
        .world(1);
    let inputs = [vec![1, 2, 3], vec![4]];
    assert_eq!(world.honest(&inputs, &[1, 2, 3, 4]), ACCEPTED);
    let liar = world.cubes_of_liar(&inputs, |_, values| {
        if values[..] == [1, 2, 3, 0] {
            values[3] = 7
        }
    });
    assert!(rejected(world.believing(&inputs, &[1, 2, 3, 11], &liar)));
}

/// Two inputs at once, each with a vector that is added to the rows of its own matrix.
#[test]
fn inputs_run_at_once_are_not_mixed_by_broadcasting() {
    for (kind, attributes, outputs) in [
        ("add", json!({"coefficients": [[1], [1]]}), [3, 4, 2, 3, 6, 7, 12, 13]),
        ("mul", json!({"x_zero": 0, "y_zero": 0}), [2, 4, 1, 2, 9, 12, 27, 36]),
        ("compare", json!({}), [0, 0, 0, 1, 0, 1, 0, 0]),
    ] {
        let world = Text::default()
            .input(&[2, 2], [0, 255])
            .input(&[2], [0, 255])
            .then(kind, &["trace 0", "trace 1"], attributes, &[2, 2], None)
            .world(2);
        let inputs = [vec![2, 2, 1, 1, 3, 3, 9, 9], vec![1, 2, 3, 4]];
        assert_eq!(world.honest(&inputs, &outputs), ACCEPTED, "{kind}");
    }
}

/// Two inputs at once, each with a matrix that all of its own batches are multiplied by.
#[test]
fn inputs_run_at_once_are_not_mixed_by_a_matrix_for_all_batches() {
    let world = Text::default()
        .input(&[2, 1, 2], [0, 255])
        .input(&[1, 2], [0, 1023])
        .then("matmul", &["trace 0", "trace 1"], json!({"x_zero": 0, "w_zero": 0}), &[2, 1, 1], None)
        .world(2);
    let inputs = [vec![1, 2, 3, 4, 5, 6, 7, 8], vec![1, 10, 100, 1000]];
    assert_eq!(world.honest(&inputs, &[21, 43, 6500, 8700]), ACCEPTED);
}

/// [257, 0] as two values of eight bytes begins with the bytes 1, 1: it must not be read as the statement [1, 1].
#[test]
fn values_outside_of_their_interval_are_rejected_before_they_are_hashed() {
    let world = Text::default().input(&[2], [0, 255]).then("sum", &["trace 0"], json!({"axes": 1}), &[], None).world(1);
    let cubes = world.cubes(&[vec![1, 1]]);
    assert_eq!(world.believing(&[vec![1, 1]], &[2], &cubes), ACCEPTED);
    let fault = Err(Fault::Rejected("a public value leaves its interval"));
    assert_eq!(world.believing(&[vec![257, 0]], &[2], &cubes), fault);
    assert_eq!(world.believing(&[vec![1, 1]], &[511], &cubes), fault);
}
