// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wrong activations. Checklist 4: every operator is constrained, activations included.

use super::{INTERVAL, PRODUCTS};
use crate::forgery::Forger;
use crate::world::with;
use crate::{Cubes, Forgery, Shown, Text, World};
use protocol::Statement;
use protocol::forge::TRUTH;
use relation::TensorId;
use serde_json::json;

pub fn forgeries() -> Vec<Forgery> {
    [left_out(), of_a_network(), entries_of_a_network()].concat()
}

/// relu(x - 10) + y with x = 5 is y: a liar leaves relu out, and has y - 5.
fn left_out() -> Vec<Forgery> {
    let world = Text::default()
        .input(&[1], [0, 255])
        .input(&[1], [0, 255])
        .then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[1], Some((&[1], &[-10], 0, 0, 255)))
        .then("add", &["trace 2", "trace 1"], json!({"coefficients": [[1], [1]]}), &[1], None)
        .world(1);
    let inputs = [vec![5], vec![60]];
    let (mut forger, relu) = (Forger::new(&world, &inputs), world.hints()[0]);
    for (name, value) in [("an activation that is left out", -5), ("an activation that is one more", 1)] {
        let lie = world.cubes_of_liar(&inputs, |id, values| {
            if id == relu {
                values[0] = value
            }
        });
        forger.add(name, world.believing(&inputs, &[60 + value], &lie), PRODUCTS);
    }
    let lie = world.cubes_of_liar(&inputs, |id, values| {
        if id == relu {
            values[0] = -61
        }
    });
    forger.add("an activation that leads out of the output's interval", world.believing(&inputs, &[-1], &lie), INTERVAL);
    forger.all()
}

/// All that follows is computed from the lie: only its own lookup is wrong.
fn of_a_network() -> Vec<Forgery> {
    let (world, inputs) = World::digits();
    let system = &world.key.system;
    let mut forger = Forger::new(&world, &inputs);
    let clipped: Vec<TensorId> = system.lookups.iter().filter(|l| l.columns.len() == 2).map(|l| l.columns[1]).collect();
    for tensor in clipped.into_iter().filter(|id| world.hints().contains(id)) {
        let lie = world.cubes_of_liar(&inputs, |id, values| {
            if id == tensor {
                values[0] = if values[0] == system.tensors[tensor].high { values[0] - 1 } else { values[0] + 1 };
            }
        });
        forger.add("a network's activation, and all that follows from it", claiming(&world, &inputs, &lie), PRODUCTS);
    }
    forger.all()
}

/// The network's outputs as these cubes have them.
fn claiming(world: &World, inputs: &[Vec<i64>], cubes: &Cubes) -> Shown {
    let outputs = vec![cubes[world.key.system.outputs[0]][..10].to_vec()];
    world.stating(Statement { context: crate::world::CONTEXT, inputs: inputs.to_vec(), outputs }, cubes, &TRUTH)
}

/// One entry of each committed tensor, at its first, middle and last place, and with it nothing else.
fn entries_of_a_network() -> Vec<Forgery> {
    let (world, inputs) = World::digits();
    let (mut forger, cubes) = (Forger::new(&world, &inputs), world.cubes(&inputs));
    let statement = forger.honest().statement.clone();
    for tensor in world.hints() {
        let size = cubes[tensor].len();
        for entry in [0, size / 2, size - 1] {
            let (own, high) = (cubes[tensor][entry], world.key.system.tensors[tensor].high);
            let lie = with(&cubes, tensor, entry, if own < high { own + 1 } else { own - 1 });
            forger.add("one wrong value of a network", world.stating(statement.clone(), &lie, &TRUTH), PRODUCTS);
        }
    }
    forger.all()
}
