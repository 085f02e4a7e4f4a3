// SPDX-License-Identifier: MIT OR Apache-2.0
//! The hash of all that was said, written down once more: whatever a verifier reads, it absorbs before the next challenge. Rule 59.

use commitment::{Commitment, Kzg};
use field::Fr;
use forgeries::Text;
use protocol::forge::fold_rows;
use sha3::{Digest, Keccak256};
use sumcheck::channel::Word;

/// A transcript.
struct Hash([u8; 32]);

impl Hash {
    fn padded(label: &str) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..label.len()].copy_from_slice(label.as_bytes());
        bytes
    }

    fn absorb(&mut self, label: &str, words: &[Word]) {
        let count = [&[0; 24][..], &(words.len() as u64).to_be_bytes()].concat();
        let bytes = [&self.0[..], &Self::padded(label), &count, words.as_flattened()].concat();
        self.0 = Keccak256::digest(bytes).into();
    }

    fn challenge(&mut self, label: &str) -> Fr {
        self.0 = Keccak256::digest([self.0, Self::padded(label)].concat()).into();
        field::from_bytes_reduced(&self.0)
    }

    fn challenges(&mut self, label: &str, places: std::ops::Range<usize>) {
        places.for_each(|_| {
            self.challenge(label);
        });
    }

    fn rounds(&mut self, words: &mut &[Word], label: &str, point: &str, count: usize, degree: usize) -> Vec<Fr> {
        let round = |_| {
            self.take(words, label, degree);
            self.challenge(point)
        };
        (0..count).map(round).collect()
    }

    fn take<'a>(&mut self, words: &mut &'a [Word], label: &str, count: usize) -> &'a [Word] {
        let (own, rest) = words.split_at(count);
        self.absorb(label, own);
        *words = rest;
        own
    }
}

fn word(bytes: &[u8]) -> Word {
    let mut word = [0; 32];
    word[..bytes.len()].copy_from_slice(bytes);
    word
}

/// One product over two variables, of degree 2.
#[test]
fn everything_is_absorbed_before_its_challenge() {
    let world = Text::dense().world(1);
    let shown = world.honest(&[vec![1, 2, 3, 4]]);
    let end = world.verify(&shown).expect("accepted");
    let (layout, mut left) = (&world.key.verifier.layout, shown.words.as_slice());
    let mut hash = Hash(word(b"vml.sumcheck"));
    hash.0 = Keccak256::digest(hash.0).into();
    let number = |value: u8| {
        let mut word = [0; 32];
        word[31] = value;
        word
    };
    hash.absorb("statement", &[number(1), world.key.verifier.digest, [3; 32], number(0), number(1)]);
    hash.absorb("input", &[word(&[1, 2, 3, 4])]);
    hash.absorb("output", &[word(&[30i64.to_le_bytes(), 70i64.to_le_bytes()].concat())]);
    let witness = hash.take(&mut left, "witness", 2 * layout.count(compiler::Phase::Witness));
    hash.challenge("alpha");
    hash.challenge("beta");
    let helpers = hash.take(&mut left, "helper", 2 * layout.count(compiler::Phase::Helper));
    let rounds = layout.lookup_helper.bits.max(layout.table_helper.bits);
    hash.challenges("tau", 0..rounds);
    hash.challenge("lambda");
    hash.rounds(&mut left, "lookup round", "lookup point", rounds, 9);
    hash.take(&mut left, "lookup values", 26);
    hash.challenges("cube", 0..3);
    hash.challenges("bind", 0..2);
    hash.challenge("batch");
    hash.take(&mut left, "stored", 1);
    hash.rounds(&mut left, "round", "point", 2, 2);
    hash.take(&mut left, "factors", 2);
    hash.challenge("batch");
    let point = hash.rounds(&mut left, "round", "point", layout.total_bits(), 2);
    let value = hash.take(&mut left, "value", 1);
    assert_eq!(left.len(), 22);
    let rows = |words: &[Word]| words.chunks(2).map(|row| Kzg::row_from_words(row).expect("a row")).collect::<Vec<_>>();
    let (row, low) = fold_rows::<Kzg>(&world.key.verifier, &rows(witness), &rows(helpers), &point).expect("rows");
    hash.absorb("mercury.statement", &[Kzg::words(&row), low.iter().map(field::to_bytes).collect(), value.to_vec()].concat());
    for (label, own, then) in [
        ("mercury.h", &left[..2], "mercury.alpha"),
        ("mercury.qg", &left[2..6], "mercury.gamma"),
        ("mercury.sd", &left[6..10], "mercury.zeta"),
        ("mercury.values", &left[10..16], "mercury.beta"),
        ("mercury.tw", &left[16..20], "mercury.z"),
        ("mercury.last", &left[20..], "mercury.delta"),
    ] {
        hash.absorb(label, own);
        hash.challenge(then);
    }
    assert_eq!(hash.0, end.state());
}
