// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every forgery is refused for its reason, and the honest proof beside it is accepted. A test a file of `src/forgeries`.

use commitment::{Kzg, VerifierKey as Reference};
use compiler::VerifierKey;
use forgeries::forgeries::ALL;
use forgeries::{Forgery, Shown};
use protocol::verify;
use sumcheck::Fault;

/// Of the honest proof, and of the forged one.
fn verdicts(forgery: &Forgery) -> [Result<(), Fault>; 2] {
    let key = VerifierKey::<Kzg>::from_bytes(&forgery.key).expect("a key");
    let reference = Reference::from_words(&forgery.reference).expect("a reference string");
    let verdict = |shown: &Shown| verify(&key, &reference, &shown.statement, &shown.words).map(|_| ());
    [verdict(&forgery.honest), verdict(&forgery.forged)]
}

fn check(file: &str) {
    let (_, make) = ALL.into_iter().find(|(name, _)| *name == file).expect("a file of that name");
    let judged: Vec<_> = make().into_iter().map(|forgery| (forgery.name, verdicts(&forgery), forgery.fault)).collect();
    let wrong: Vec<_> = judged.iter().filter(|(_, verdicts, fault)| *verdicts != [Ok(()), Err(*fault)]).collect();
    assert!(!judged.is_empty() && wrong.is_empty(), "{wrong:#?}");
}

macro_rules! files {
    ($($file:ident),*) => {
        $(#[test]
        fn $file() {
            check(stringify!($file));
        })*

        #[test]
        fn every_file_has_a_test() {
            assert_eq!(ALL.map(|(name, _)| name), [$(stringify!($file)),*]);
        }
    };
}

files!(activation, batch, bytes, claims, lookups, operators, padding, range, rounds, shape, statement, transcript);
