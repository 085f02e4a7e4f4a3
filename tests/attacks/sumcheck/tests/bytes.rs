// SPDX-License-Identifier: MIT OR Apache-2.0
//! A verifier reads any bytes, and refuses all but a proof's.

use forgeries::{Shown, World};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assume, proptest};
use protocol::Statement;
use std::sync::LazyLock;
use sumcheck::Fault;
use sumcheck::channel::Word;

struct Honest {
    world: World,
    statement: Statement,
    words: Vec<Word>,
}

static HONEST: LazyLock<Honest> = LazyLock::new(|| {
    let (world, inputs) = World::digits();
    let Shown { statement, words } = world.honest(&inputs);
    Honest { world, statement, words }
});

fn verify(words: &[Word]) -> Result<(), Fault> {
    HONEST.world.verify(&Shown { statement: HONEST.statement.clone(), words: words.to_vec() }).map(|_| ())
}

#[test]
fn every_changed_word_is_refused() {
    assert_eq!(verify(&HONEST.words), Ok(()));
    for place in 0..HONEST.words.len() {
        let mut forged = HONEST.words.clone();
        forged[place][31] ^= 1;
        assert!(verify(&forged).is_err(), "word {place}");
        forged[place] = [255; 32];
        assert!(matches!(verify(&forged), Err(Fault::Malformed(_))), "word {place} above p");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_words_are_refused_and_nothing_panics(words in prop::collection::vec(any::<[u8; 32]>(), 0..300)) {
        prop_assert!(verify(&words).is_err());
    }

    #[test]
    fn any_flipped_bits_are_refused(flips in prop::collection::vec((any::<prop::sample::Index>(), 0usize..256), 1..4)) {
        let mut words = HONEST.words.clone();
        for (place, bit) in flips {
            words[place.index(HONEST.words.len())][bit / 8] ^= 1 << (bit % 8);
        }
        prop_assume!(words != HONEST.words);
        prop_assert!(verify(&words).is_err());
    }
}
