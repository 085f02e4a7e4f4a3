// SPDX-License-Identifier: MIT OR Apache-2.0
//! Malicious provers: the honest one with one thing changed. Each is refused, for its reason.

use crate::prove::{ProveError, TRUTH, UNTOLD, on_cubes, prove_cubes, run};
use crate::statement::Statement;
use crate::verify::verify;
use commitment::{Kzg, ProverKey as Committer, Srs, VerifierKey as Reference};
use compiler::{ProverKey, VerifierKey};
use program::Program;
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assume, proptest};
use relation::{Form, TensorId};
use std::sync::{Arc, LazyLock, Mutex};
use sumcheck::Fault;
use sumcheck::channel::Word;

type Cubes = Vec<Arc<Vec<i64>>>;

/// digits-cnn: rearrange, conv, max, rearrange, matmul.
struct World {
    key: ProverKey<Kzg>,
    committer: Committer,
    reference: Reference,
    statement: Statement,
    cubes: Cubes,
    words: Vec<Word>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let (graph, weights) =
        (include_bytes!("../fixtures/digits-cnn/program.json"), include_bytes!("../fixtures/digits-cnn/weights.safetensors"));
    let program = Program::read(graph, weights).expect("a program");
    let srs = Srs::unsafe_from_seed(12, b"tests").expect("a string");
    let (key, committer) = compiler::setup::<Kzg>(&program, [7; 32], 1, [9; 32], |n| srs.prover_key(n as u32)).expect("keys");
    let inputs: Vec<Vec<i64>> = serde_json::from_slice(include_bytes!("../fixtures/digits-cnn/inputs.json")).expect("inputs");
    let (statement, words) = crate::prove(&key, &committer, [3; 32], inputs.clone(), UNTOLD).expect("a proof");
    let cubes = run(&key.system, &inputs).expect("inputs that fit");
    World { key, committer, reference: srs.verifier_key(), statement, cubes, words }
});

impl World {
    fn verify(&self, statement: &Statement, words: &[Word]) -> Result<(), Fault> {
        verify(&self.key.verifier, &self.reference, statement, words).map(|_| ())
    }

    /// The proof of an honest prover who believes these cubes.
    fn prove(&self, statement: &Statement, cubes: &Cubes) -> Vec<Word> {
        prove_cubes(&self.key, &self.committer, statement, cubes, &TRUTH, UNTOLD).expect("a proof")
    }

    fn committed(&self) -> Vec<TensorId> {
        let tensors = self.key.system.tensors.iter().enumerate();
        tensors.filter(|(_, tensor)| matches!(tensor.form, Form::Committed { .. })).map(|(id, _)| id).collect()
    }
}

/// Changes one entry, and with it nothing else.
fn with(cubes: &Cubes, tensor: TensorId, entry: usize, value: i64) -> Cubes {
    let mut changed = cubes.clone();
    let mut cube = cubes[tensor].to_vec();
    cube[entry] = value;
    changed[tensor] = Arc::new(cube);
    changed
}

#[test]
fn stages_are_told_in_order_and_each_can_end_the_work() {
    let world = &*WORLD;
    let told_until = |last: usize| {
        let told = Mutex::new(Vec::new());
        let stages = |name| {
            let mut told = told.lock().expect("no panic");
            told.push(name);
            told.len() <= last
        };
        let proved = crate::prove(&world.key, &world.committer, [3; 32], world.statement.inputs.clone(), &stages);
        (told.into_inner().expect("no panic"), proved.map(|(_, words)| words))
    };
    let (all, words) = told_until(usize::MAX);
    assert_eq!((all.len(), words), (9, Ok(world.words.clone())));
    for last in 0..all.len() {
        assert_eq!(told_until(last), (all[..=last].to_vec(), Err(ProveError::Cancelled)));
    }
}

#[test]
fn honest_proof_is_accepted_and_has_a_fixed_length() {
    let world = &*WORLD;
    assert_eq!(world.verify(&world.statement, &world.words), Ok(()));
    let zeros = vec![vec![0; 64]];
    let (statement, words) = crate::prove(&world.key, &world.committer, [0; 32], zeros, UNTOLD).expect("a proof");
    assert_eq!(words.len(), world.words.len());
    assert_eq!(world.verify(&statement, &words), Ok(()));
}

#[test]
fn one_wrong_value_in_any_committed_tensor_is_rejected() {
    let world = &*WORLD;
    for tensor in world.committed() {
        let size = world.cubes[tensor].len();
        for entry in [0, size / 2, size - 1] {
            let shape = &world.key.system.tensors[tensor];
            let own = world.cubes[tensor][entry];
            let other = if own < shape.high { own + 1 } else { own - 1 };
            let words = world.prove(&world.statement, &with(&world.cubes, tensor, entry, other));
            let verdict = world.verify(&world.statement, &words);
            if world.key.system.inputs.contains(&tensor) && is_padding(&shape.shape, entry) {
                continue; // nobody reads an input's padding
            }
            assert!(matches!(verdict, Err(Fault::Rejected(_))), "tensor {tensor} entry {entry}: {verdict:?}");
        }
    }
}

fn is_padding(shape: &[usize], mut entry: usize) -> bool {
    shape.iter().rev().any(|size| {
        let own = entry % size.next_power_of_two();
        entry /= size.next_power_of_two();
        own >= *size
    })
}

/// A wrong activation whose followers are all computed from it: only its own lookup is wrong.
#[test]
fn a_consistent_lie_in_one_activation_is_rejected() {
    let world = &*WORLD;
    let system = &world.key.system;
    let clipped: Vec<TensorId> = system.lookups.iter().filter(|l| l.columns.len() == 2).map(|l| l.columns[1]).collect();
    let tensor = *clipped.first().expect("a requantised tensor");
    let lie = (world.cubes[tensor][0] + 1).min(255) - i64::from(world.cubes[tensor][0] == 255);
    let cubes = system.values_with(&on_cubes(system, &world.statement.inputs).expect("inputs that fit"), |id, values| {
        if id == tensor {
            values[0] = lie;
        }
    });
    let outputs = vec![(0..10).map(|i| cubes[system.outputs[0]][i]).collect()];
    let statement = Statement { outputs, ..world.statement.clone() };
    let verdict = world.verify(&statement, &world.prove(&statement, &cubes));
    assert!(matches!(verdict, Err(Fault::Rejected(_))), "{verdict:?}");
}

/// The remainder one multiple of 2^shift higher, the quotient one lower: only the range check sees it.
#[test]
fn a_remainder_outside_of_its_range_is_rejected() {
    let world = &*WORLD;
    let system = &world.key.system;
    let ranged = system.lookups.iter().filter(|l| l.columns.len() == 1 && !system.inputs.contains(&l.columns[0]));
    for lookup in ranged {
        let r = lookup.columns[0];
        let lie = world.cubes[r][0] + system.tensors[r].high + 1;
        let verdict = world.verify(&world.statement, &world.prove(&world.statement, &with(&world.cubes, r, 0, lie)));
        assert!(matches!(verdict, Err(Fault::Rejected(_))), "{verdict:?}");
    }
}

#[test]
fn another_statement_is_rejected() {
    let world = &*WORLD;
    let other = |change: fn(&mut Statement)| {
        let mut statement = world.statement.clone();
        change(&mut statement);
        statement
    };
    let lies = [other(|s| s.context[0] ^= 1), other(|s| s.inputs[0][5] ^= 1), other(|s| s.outputs[0][3] += 1)];
    for lie in &lies {
        // the proof of another statement, and a proof made for this one from what is true
        assert!(matches!(world.verify(lie, &world.words), Err(Fault::Rejected(_))));
    }
    for lie in &lies[1..] {
        assert!(matches!(world.verify(lie, &world.prove(lie, &world.cubes)), Err(Fault::Rejected(_))));
    }
    let short = other(|s| s.outputs[0].truncate(9));
    assert!(matches!(world.verify(&short, &world.words), Err(Fault::Malformed(_))));
    let none = other(|s| s.inputs.clear());
    assert!(matches!(world.verify(&none, &world.words), Err(Fault::Malformed(_))));
}

#[test]
fn a_value_beyond_the_field_of_the_output_is_no_other_output() {
    let world = &*WORLD;
    let mut statement = world.statement.clone();
    statement.outputs[0][0] = statement.outputs[0][0].wrapping_add(i64::MAX);
    assert!(matches!(world.verify(&statement, &world.prove(&statement, &world.cubes)), Err(Fault::Rejected(_))));
}

#[test]
fn every_changed_word_is_refused() {
    let world = &*WORLD;
    for place in 0..world.words.len() {
        let mut forged = world.words.clone();
        forged[place][31] ^= 1;
        assert!(world.verify(&world.statement, &forged).is_err(), "word {place}");
        forged[place] = [255; 32];
        assert!(matches!(world.verify(&world.statement, &forged), Err(Fault::Malformed(_))), "word {place} above p");
    }
}

#[test]
fn missing_and_surplus_words_are_malformed() {
    let world = &*WORLD;
    let words = &world.words;
    for count in [0, 1, words.len() / 2, words.len() - 1] {
        assert!(matches!(world.verify(&world.statement, &words[..count]), Err(Fault::Malformed(_) | Fault::Rejected(_))));
    }
    let longer = [words.as_slice(), &[[0; 32]]].concat();
    assert_eq!(world.verify(&world.statement, &longer), Err(Fault::Malformed("surplus words")));
}

#[test]
fn the_key_of_another_program_rejects() {
    let world = &*WORLD;
    let bytes = world.key.verifier.to_bytes().expect("bytes");
    let own = VerifierKey::<Kzg>::from_bytes(&bytes).expect("a key");
    assert_eq!(verify(&own, &world.reference, &world.statement, &world.words).map(|_| ()), Ok(()));
    let mut other = VerifierKey::<Kzg>::from_bytes(&bytes).expect("a key");
    other.digest[0] ^= 1;
    assert!(matches!(verify(&other, &world.reference, &world.statement, &world.words), Err(Fault::Rejected(_))));
    let mut other = VerifierKey::<Kzg>::from_bytes(&bytes).expect("a key");
    other.rows.swap(0, 1);
    assert!(matches!(verify(&other, &world.reference, &world.statement, &world.words), Err(Fault::Rejected(_))));
    let mut other = VerifierKey::<Kzg>::from_bytes(&bytes).expect("a key");
    other.system.tables.swap(0, 1);
    assert!(verify(&other, &world.reference, &world.statement, &world.words).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_words_are_refused_and_nothing_panics(words in prop::collection::vec(any::<[u8; 32]>(), 0..300)) {
        let world = &*WORLD;
        prop_assert!(world.verify(&world.statement, &words).is_err());
    }

    #[test]
    fn any_flipped_bits_are_refused(flips in prop::collection::vec((any::<prop::sample::Index>(), 0usize..256), 1..4)) {
        let world = &*WORLD;
        let mut words = world.words.clone();
        for (place, bit) in flips {
            words[place.index(world.words.len())][bit / 8] ^= 1 << (bit % 8);
        }
        prop_assume!(words != world.words);
        prop_assert!(world.verify(&world.statement, &words).is_err());
    }

    #[test]
    fn any_key_bytes_are_read_or_refused(cut in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = WORLD.key.verifier.to_bytes().expect("bytes");
        let place = cut.index(bytes.len());
        bytes[place] = byte;
        if let Ok(key) = VerifierKey::<Kzg>::from_bytes(&bytes) {
            let world = &*WORLD;
            let _ = verify(&key, &world.reference, &world.statement, &world.words);
        }
    }
}
