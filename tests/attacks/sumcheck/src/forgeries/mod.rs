// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file for each thing that a verifier must not believe, and the reasons that it gives.

mod activation;
mod batch;
mod bytes;
mod claims;
mod lookups;
mod operators;
mod padding;
mod range;
mod rounds;
mod shape;
mod statement;
mod transcript;

use crate::forgery::Forger;
use crate::{Forgery, World};
use sumcheck::Fault;

/// Makes the forgeries of a file.
pub type Make = fn() -> Vec<Forgery>;

/// All of them, by the names of their files.
pub const ALL: [(&str, Make); 12] = [
    ("activation", activation::forgeries),
    ("batch", batch::forgeries),
    ("bytes", bytes::forgeries),
    ("claims", claims::forgeries),
    ("lookups", lookups::forgeries),
    ("operators", operators::forgeries),
    ("padding", padding::forgeries),
    ("range", range::forgeries),
    ("rounds", rounds::forgeries),
    ("shape", shape::forgeries),
    ("statement", statement::forgeries),
    ("transcript", transcript::forgeries),
];

const STATEMENT: Fault = Fault::Malformed("the statement is not of this program's shape");
const INTERVAL: Fault = Fault::Rejected("a public value leaves its interval");
const LOOKUPS: Fault = Fault::Rejected("the lookup argument does not hold");
/// All that must hold is one sum, so this is the reason of most lies about values.
const PRODUCTS: Fault = Fault::Rejected("the products do not hold");
const CLAIMS: Fault = Fault::Rejected("the claims on commitments do not hold");
const OPENING: Fault = Fault::Rejected("the opening does not hold");

/// Values of what the prover commits to, in the order in which the gadgets do: which, entry, value.
type Lie = &'static [(usize, usize, i64)];

/// Forgeries by lies in hints, from which all that follows is computed: (name, lie, output).
fn by_hints(world: &World, inputs: &[Vec<i64>], truth: &[i64], lies: &[(&'static str, Lie, i64)]) -> Vec<Forgery> {
    let mut forger = Forger::new(world, inputs);
    assert_eq!(forger.honest().statement.outputs[0], truth);
    let hints = world.hints();
    for (name, lie, output) in lies {
        let cubes = world.cubes_of_liar(inputs, |id, values| {
            for (_, entry, value) in lie.iter().filter(|(hint, ..)| hints.get(*hint) == Some(&id)) {
                values[*entry] = *value;
            }
        });
        let told = [&[*output], &truth[1..]].concat();
        assert_ne!(truth, told, "{name}: no lie");
        forger.add(name, world.believing(inputs, &told, &cubes), PRODUCTS);
    }
    forger.all()
}
