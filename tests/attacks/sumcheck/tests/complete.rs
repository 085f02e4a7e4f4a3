// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is true has a proof, at the ends of intervals and shapes too.

use forgeries::{Form, Text, World};
use serde_json::{Value, json};

fn accepted(world: &World, inputs: &[Vec<i64>], outputs: &[i64]) {
    let shown = world.honest(inputs);
    assert_eq!(shown.statement.outputs, [outputs]);
    assert_eq!(world.verify(&shown).map(|_| ()), Ok(()));
}

fn requantised(shape: &[usize], form: Form) -> World {
    Text::default().input(shape, [0, 255]).then("add", &["trace 0"], json!({"coefficients": [[1]]}), shape, Some(form)).world(1)
}

fn windows(kernel: &[usize], pads: &[usize], strides: &[usize], dilations: &[usize], groups: usize) -> Value {
    json!({"x_zero": 0, "w_zero": 0, "axes": 0, "kernel": kernel, "pads": pads, "strides": strides, "dilations": dilations, "groups": groups})
}

#[test]
fn a_requantisation_saturates_at_both_ends() {
    accepted(&requantised(&[4], (&[3], &[-100], 1, 0, 200)), &[vec![0, 33, 34, 255]], &[0, 0, 1, 200]);
    let wide = requantised(&[4], (&[30_000], &[-4_000_009], 1, -30_000, 30_000));
    accepted(&wide, &[vec![0, 131, 134, 255]], &[-30_000, -30_000, 9_995, 30_000]);
}

#[test]
fn inputs_at_both_ends_of_every_interval_are_proved() {
    for (low, high) in [(0, 255), (-128, 127), (0, 1), (5, 5), (-30_000, 30_000), (0, 65_535), (-(1 << 40), 1 << 40)] {
        let world = Text::default().input(&[2], [low, high]);
        let world = world.then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[2], None).world(1);
        accepted(&world, &[vec![low, high]], &[low, high]);
        accepted(&world, &[vec![high, low]], &[high, low]);
    }
}

#[test]
fn columns_of_zeros_are_proved() {
    let (world, inputs) = World::digits();
    let shown = world.honest(&[vec![0; 64]]);
    assert_eq!(world.verify(&shown).map(|_| ()), Ok(()));
    assert_eq!(shown.words.len(), world.honest(&inputs).words.len(), "one key's proofs have one length");
    accepted(&requantised(&[3], (&[1], &[0], 0, 0, 255)), &[vec![0, 0, 0]], &[0, 0, 0]);
}

/// Every tap reads beyond some border: y[o] = sum over k of x[o + k - 1] at 1, 2, 3 of each of two channels.
#[test]
fn taps_beyond_the_border_read_nothing() {
    let world = Text::default()
        .input(&[1, 3, 1], [0, 255])
        .constant(&[2, 3, 1], &[1, 10, 100, 1, 1, 1])
        .then("conv", &["trace 0", "constant 0"], windows(&[3], &[1, 1], &[1], &[1], 1), &[1, 3, 2], None)
        .world(1);
    accepted(&world, &[vec![1, 2, 3]], &[210, 3, 321, 6, 32, 5]);
}

/// Every channel has a kernel of its own.
#[test]
fn a_depthwise_convolution_is_proved() {
    let world = Text::default()
        .input(&[1, 3, 4], [0, 255])
        .constant(&[4, 2, 1], &[1, 1, 1, -1, 0, 1, 2, 3])
        .then("conv", &["trace 0", "constant 0"], windows(&[2], &[0, 0], &[1], &[1], 4), &[1, 2, 4], None)
        .world(1);
    let x = vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    accepted(&world, &[x], &[6, -4, 7, 32, 14, -4, 11, 52]);
}

/// Remainders of 1, 4, 9 and 17 bits, in one proof of three inputs.
#[test]
fn shifts_of_every_size_are_proved_together() {
    let by = |shift: u32| Some((&[1_000_001][..], &[7][..], shift, -(1 << 40), 1 << 40));
    let mut text = Text::default().input(&[3], [0, 255]);
    for shift in [1, 4, 9, 17] {
        text = text.then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[3], by(shift));
    }
    let world = text.outputs(&[1, 2, 3, 4]).world(3);
    let inputs = vec![0, 1, 2, 3, 4, 5, 253, 254, 255];
    let shown = world.honest(std::slice::from_ref(&inputs));
    let shifted = |shift: u32| inputs.iter().map(|x| (x * 1_000_001 + 7) >> shift).collect::<Vec<i64>>();
    assert_eq!(shown.statement.outputs, [shifted(1), shifted(4), shifted(9), shifted(17)]);
    assert_eq!(world.verify(&shown).map(|_| ()), Ok(()));
}

/// All near the beginning of a row, in a table of many rows: no commitment of the opening is the point at infinity.
#[test]
fn a_few_lookups_at_the_beginning_of_a_large_table_are_proved() {
    let world = Text::default().input(&[1], [0, 16_000]).input(&[1], [0, 16_383]);
    let world = world.then("compare", &["trace 0", "trace 1"], json!({}), &[1], None).world(1);
    accepted(&world, &[vec![1], vec![0]], &[0]);
}
