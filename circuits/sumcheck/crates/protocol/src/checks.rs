// SPDX-License-Identifier: MIT OR Apache-2.0
//! A liar for each check of the verifier: without that check he would be believed.

use crate::prove::{Says, TRUTH};
use crate::small::{Text, World};
use crate::verify::fold_rows;
use commitment::{Commitment, Kzg};
use compiler::{KeyError, VerifierKey};
use field::Fr;
use serde_json::json;
use sha3::{Digest, Keccak256};
use std::sync::Arc;
use sumcheck::Fault;
use sumcheck::channel::Word;

fn rejected(verdict: Result<(), Fault>) -> bool {
    matches!(verdict, Err(Fault::Rejected(_)))
}

/// y = x, two bytes.
fn identity() -> World {
    Text::default().input(&[2], [0, 255]).then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[2], None).world(1)
}

#[test]
fn a_false_sum_over_commitments_is_rejected() {
    let world = identity();
    let (inputs, cubes) = ([vec![5, 6]], world.cubes(&[vec![5, 6]]));
    let says = Says { stored: &|left, _| left, ..TRUTH };
    assert_eq!(world.saying(&inputs, &[5, 6], &cubes, &says), Ok(()));
    let fault = Err(Fault::Rejected("the claims on commitments do not hold"));
    assert_eq!(world.saying(&inputs, &[5, 7], &cubes, &says), fault);
}

#[test]
fn other_multiplicities_or_helpers_than_those_committed_to_are_rejected() {
    let world = identity();
    let (inputs, cubes, layout) = ([vec![5, 6]], world.cubes(&[vec![5, 6]]), &world.key.verifier.layout);
    let place = layout.multiplicities.start;
    let counts = |rows: &mut [Vec<i64>]| rows[place >> layout.row_bits][place & ((1 << layout.row_bits) - 1)] += 1;
    assert!(rejected(world.saying(&inputs, &[5, 6], &cubes, &Says { witness: &counts, ..TRUTH })));
    for place in [layout.lookup_helper, layout.table_helper] {
        // what is moved from one entry to the next changes no sum
        let moved = |all: &mut [Fr]| {
            all[place.start] += Fr::from(1u64);
            all[place.start + 1] -= Fr::from(1u64);
        };
        assert!(rejected(world.saying(&inputs, &[5, 6], &cubes, &Says { helpers: &moved, ..TRUTH })));
    }
}

/// A remainder of 3 is in the table of bytes, and not in that of bits.
#[test]
fn an_entry_of_another_table_is_rejected() {
    let halve = Some((&[1][..], &[0][..], 1, 0, 255));
    let world =
        Text::default().input(&[1], [0, 255]).then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[1], halve).world(1);
    let (inputs, system) = ([vec![3]], &world.key.system);
    let mut cubes = world.cubes(&inputs);
    let of = |bits: usize, columns: usize| {
        system.tables.iter().position(|t| t.bits == bits && t.columns.len() == columns).expect("a table")
    };
    let remainder = system.lookups.iter().find(|lookup| lookup.table == of(1, 1)).expect("a lookup").columns[0];
    cubes[remainder] = Arc::new(vec![3]);
    let quotient = system.outputs[0];
    cubes[quotient] = Arc::new(vec![0]);
    let place = world.key.verifier.layout.tables[of(8, 1)].start + 3;
    assert!(rejected(world.saying(&inputs, &[0], &cubes, &Says { counts: &|counts| counts[place] += 1, ..TRUTH })));
}

#[test]
fn a_bit_that_only_a_zero_ties_to_its_operands_is_rejected() {
    let world = Text::default()
        .input(&[1], [-300_000, 300_000])
        .input(&[1], [-300_000, 300_000])
        .then("compare", &["trace 0", "trace 1"], json!({}), &[1], None)
        .world(1);
    let inputs = [vec![5], vec![7]];
    let mut cubes = world.cubes(&inputs);
    assert_eq!(world.believing(&inputs, &[1], &cubes), Ok(()));
    cubes[world.key.system.outputs[0]] = Arc::new(vec![0]);
    assert!(rejected(world.believing(&inputs, &[0], &cubes)));
}

#[test]
fn two_lies_that_cancel_are_rejected() {
    let world = identity();
    assert!(rejected(world.believing(&[vec![6, 5]], &[4, 5], &world.cubes(&[vec![5, 5]]))));
}

/// Bytes that differ from a key's in one place, each for its own reason.
#[test]
fn a_key_of_another_form_is_refused() {
    let bytes = identity().key.verifier.to_bytes().expect("bytes");
    let text = String::from_utf8(bytes).expect("text");
    let read = |text: &str| VerifierKey::<Kzg>::from_bytes(text.as_bytes()).err();
    assert_eq!(read(&text), None);
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        read(&text.replacen(from, to, 1))
    };
    let refers = Some(KeyError::Malformed("it is of another version, or refers to what it does not have"));
    assert_eq!(changed("\"version\":1", "\"version\":2"), refers);
    for (from, to) in [
        ("\"inputs\":[1]", "\"inputs\":[9]"),
        ("\"outputs\":[2]", "\"outputs\":[9]"),
        ("\"zeros\":[]", "\"zeros\":[9]"),
        ("\"table\":0", "\"table\":9"),
        ("\"columns\":[1]", "\"columns\":[9]"),
        ("\"bits\":8", "\"bits\":63"),
        ("\"source\":1", "\"source\":2"),
        ("\"source\":1", "\"source\":9"),
        ("\"Same\":1", "\"Same\":2"),
        ("\"shape\":[1,2]", "\"shape\":[0,2]"),
        ("\"shape\":[1,2]", "\"shape\":[1099511627776,1099511627776]"),
    ] {
        assert_eq!(changed(from, to), refers, "{from} to {to}");
    }
    let rows = Some(KeyError::Malformed("it has not as many rows as its layout"));
    assert_eq!(changed("\"rows\":[", &format!("\"rows\":[{}", serde_json::to_string(&[0u8; 32]).expect("text"))), rows);
    let form = Some(KeyError::Malformed("its bytes are not what a key is written as"));
    assert_eq!(changed("{\"version\"", "{ \"version\""), form);
}

/// The hash of all that was said, written down once more: rule 59.
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
    let world = Text::default()
        .input(&[1, 4], [0, 255])
        .constant(&[2, 4], &[1, 2, 3, 4, 5, 6, 7, 8])
        .then("matmul", &["trace 0", "constant 0"], json!({"x_zero": 0, "w_zero": 0}), &[1, 2], None)
        .world(1);
    let (inputs, outputs) = ([vec![1, 2, 3, 4]], [30, 70]);
    let (statement, words) = world.words(&inputs, &outputs, &world.cubes(&inputs), &TRUTH);
    let end = world.verify(&statement, &words).expect("accepted");
    let (layout, mut left) = (&world.key.verifier.layout, words.as_slice());
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
