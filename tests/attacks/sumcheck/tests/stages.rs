// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whoever is told of a prover's stages can end its work.

use forgeries::World;
use forgeries::world::CONTEXT;
use protocol::ProveError;
use std::sync::Mutex;

#[test]
fn stages_are_told_in_order_and_each_can_end_the_work() {
    let (world, inputs) = World::digits();
    let honest = world.honest(&inputs).words;
    let told_until = |last: usize| {
        let told = Mutex::new(Vec::new());
        let stages = |name| {
            let mut told = told.lock().expect("no panic");
            told.push(name);
            told.len() <= last
        };
        let proved = protocol::prove(&world.key, &world.committer, CONTEXT, inputs.clone(), &stages);
        (told.into_inner().expect("no panic"), proved.map(|(_, words)| words))
    };
    let (all, words) = told_until(usize::MAX);
    assert_eq!((all.len(), words), (9, Ok(honest)));
    for last in 0..all.len() {
        assert_eq!(told_until(last), (all[..=last].to_vec(), Err(ProveError::Cancelled)));
    }
}
