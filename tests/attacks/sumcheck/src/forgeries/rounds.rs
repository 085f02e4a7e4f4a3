// SPDX-License-Identifier: MIT OR Apache-2.0
//! Round polynomials that are not the sum's. Checklist 2 and 3: their number, their degree, and what they end in.

use super::{CLAIMS, LOOKUPS, PRODUCTS};
use crate::forgery::Forger;
use crate::{Forgery, Text};
use field::Fr;
use protocol::forge::{Says, TRUTH};
use sumcheck::channel::Word;
use sumcheck::{Fault, Writer};
use transcript::Transcript;

/// One round's words; whether they are absorbed.
type Lie = fn(&mut Vec<Word>) -> bool;

fn raised(words: &mut [Word]) -> bool {
    let last = words.len() - 1;
    let coefficient = field::from_bytes(&words[last]).expect("a scalar") + Fr::from(1u64);
    words[last] = field::to_bytes(&coefficient);
    true
}

fn longer(words: &mut Vec<Word>) -> bool {
    words.push(field::to_bytes(&Fr::from(1u64)));
    true
}

fn shorter(words: &mut Vec<Word>) -> bool {
    words.pop().is_some()
}

fn twice(words: &mut Vec<Word>) -> bool {
    words.extend_from_within(..);
    true
}

fn left_out(words: &mut Vec<Word>) -> bool {
    words.clear();
    false
}

fn of_a_line(words: &mut [Word]) -> bool {
    words[1..].fill([0; 32]);
    true
}

/// The matmul's sumcheck has two rounds, the first two of those of this label; then come those over all that is stored.
const LIES: [(&str, &str, usize, Lie, Fault); 16] = [
    ("a lookup round of another polynomial", "lookup round", 0, |w| raised(w), LOOKUPS),
    ("a last lookup round of another polynomial", "lookup round", 4, |w| raised(w), LOOKUPS),
    ("a lookup round of degree one", "lookup round", 2, |w| of_a_line(w), LOOKUPS),
    ("a lookup round of one degree more", "lookup round", 1, longer, LOOKUPS),
    ("a lookup round of one degree less", "lookup round", 1, shorter, LOOKUPS),
    ("a lookup round that is sent twice", "lookup round", 1, twice, LOOKUPS),
    ("a lookup round that is left out", "lookup round", 0, left_out, LOOKUPS),
    ("a product's round of another polynomial", "round", 0, |w| raised(w), PRODUCTS),
    ("a product's last round of another polynomial", "round", 1, |w| raised(w), PRODUCTS),
    ("a product's round of one degree more", "round", 1, longer, PRODUCTS),
    ("a product's round that is left out", "round", 0, left_out, PRODUCTS),
    ("a round over what is stored of another polynomial", "round", 2, |w| raised(w), CLAIMS),
    ("a last round of another polynomial", "round", LAST, |w| raised(w), CLAIMS),
    ("a last round of one degree more", "round", LAST, longer, CLAIMS),
    ("a last round that is sent twice", "round", LAST, twice, CLAIMS),
    ("a last round that is left out", "round", LAST, left_out, CLAIMS),
];
const LAST: usize = usize::MAX;

pub fn forgeries() -> Vec<Forgery> {
    let world = Text::dense().world(1);
    let inputs = [vec![1, 2, 3, 4]];
    let (mut forger, cubes) = (Forger::new(&world, &inputs), world.cubes(&inputs));
    let last = 2 + world.key.verifier.layout.total_bits() - 1;
    for (name, of, round, lie, fault) in LIES {
        let round = if round == LAST { last } else { round };
        let writer = |transcript: Transcript| {
            let mut rounds = 0..;
            Writer::lying(
                transcript,
                Box::new(move |label, words| if label == of && rounds.next() == Some(round) { lie(words) } else { true }),
            )
        };
        forger.add(name, world.saying(&inputs, &[30, 70], &cubes, &Says { writer: &writer, ..TRUTH }), fault);
    }
    forger.all()
}
