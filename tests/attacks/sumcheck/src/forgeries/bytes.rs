// SPDX-License-Identifier: MIT OR Apache-2.0
//! One value written in two ways, and points that are none. Checklist 6: every word is canonical.

use super::{CLAIMS, LOOKUPS, OPENING, PRODUCTS};
use crate::forgery::Forger;
use crate::{Forgery, Shown, World};
use protocol::forge::{Says, TRUTH};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use sumcheck::channel::Word;
use sumcheck::{Fault, Writer};
use transcript::Transcript;

/// The order of the first group, and the modulus of its coordinates.
const P: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
const Q: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";

fn word(hex: &str) -> Word {
    let digit = |place: usize| u8::from_str_radix(&hex[2 * place..2 * place + 2], 16).expect("two digits");
    std::array::from_fn(digit)
}

/// The same modulo 2^256.
fn plus(a: Word, b: Word) -> Word {
    let (mut sum, mut carry) = ([0; 32], 0);
    for place in (0..32).rev() {
        let total = u16::from(a[place]) + u16::from(b[place]) + carry;
        (sum[place], carry) = (total as u8, total >> 8);
    }
    sum
}

fn complement(a: Word) -> Word {
    plus(a.map(|byte| !byte), word(&format!("{:064x}", 1)))
}

/// Where the words of a label begin the first time. Those of the opening pass by the writer: they follow all others.
fn places(world: &World, inputs: &[Vec<i64>]) -> HashMap<&'static str, usize> {
    let found = Rc::new(RefCell::new((0, HashMap::new())));
    let writer = |transcript: Transcript| {
        let found = found.clone();
        let note = move |label: &'static str, words: &mut Vec<Word>| {
            let (end, places) = &mut *found.borrow_mut();
            places.entry(label).or_insert(*end);
            *end += words.len();
            true
        };
        Writer::lying(transcript, Box::new(note))
    };
    let statement = world.honest(inputs).statement;
    world.stating(statement, &world.cubes(inputs), &Says { writer: &writer, ..TRUTH });
    let (end, mut places) = found.take();
    places.insert("opening", end);
    places
}

/// Scalars that are p more than they need be, for a transcript too: all that follows is computed from what a reader makes of them modulo p.
const SCALARS: [(&str, &str); 6] = [
    ("a lookup round's scalar plus p, as it is heard", "lookup round"),
    ("a lookup's final value plus p, as it is heard", "lookup values"),
    ("the sum over what is stored plus p, as it is heard", "stored"),
    ("a round's scalar plus p, as it is heard", "round"),
    ("a factor plus p, as it is heard", "factors"),
    ("the last value plus p, as it is heard", "value"),
];

fn heard_plus_p(world: &World, inputs: &[Vec<i64>], of: &'static str) -> Shown {
    let raise = move |label: &'static str, words: &mut Vec<Word>| {
        if label == of {
            words.iter_mut().for_each(|own| *own = plus(*own, word(P)));
        }
        true
    };
    let writer = |transcript: Transcript| Writer::lying(transcript, Box::new(raise));
    let statement = world.honest(inputs).statement;
    world.stating(statement, &world.cubes(inputs), &Says { writer: &writer, ..TRUTH })
}

pub fn forgeries() -> Vec<Forgery> {
    let (world, inputs) = World::digits();
    let places = places(&world, &inputs);
    let (row, helper, opening) = (places["witness"], places["helper"], places["opening"]);
    let mut forger = Forger::new(&world, &inputs);
    for (name, label) in SCALARS {
        let shown = heard_plus_p(&world, &inputs, label);
        forger.add(name, shown, Fault::Malformed(label));
    }
    for (name, label) in [
        ("a lookup round's scalar plus p", "lookup round"),
        ("a lookup's final value plus p", "lookup values"),
        ("the sum over what is stored plus p", "stored"),
        ("a round's scalar plus p", "round"),
        ("a factor plus p", "factors"),
        ("the last value plus p", "value"),
    ] {
        forger.add_words(name, |w| w[places[label]] = plus(w[places[label]], word(P)), Fault::Malformed(label));
    }
    for (name, at, label) in [
        ("a row's coordinate plus q", row, "witness"),
        ("a helper's coordinate plus q", helper + 1, "helper"),
        ("a coordinate of the opening plus q", opening, "opening"),
    ] {
        forger.add_words(name, |w| w[at] = plus(w[at], word(Q)), Fault::Malformed(label));
    }
    forger.add_words(
        "a value of the opening plus p",
        |w| w[opening + 10] = plus(w[opening + 10], word(P)),
        Fault::Malformed("opening"),
    );
    for (name, at, label) in [
        ("a row off the curve", row, "witness"),
        ("a helper off the curve", helper, "helper"),
        ("a point of the opening off the curve", opening + 2, "opening"),
    ] {
        forger.add_words(name, |w| w[at][31] ^= 1, Fault::Malformed(label));
    }
    forger.add_words("a row whose coordinates are exchanged", |w| w.swap(row, row + 1), Fault::Malformed("witness"));
    for (name, at, fault) in [
        ("a row at infinity", row, LOOKUPS),
        ("a helper at infinity", helper, LOOKUPS),
        ("a point of the opening at infinity", opening, Fault::Malformed("opening")),
        ("the last point at infinity", opening + 20, Fault::Malformed("opening")),
    ] {
        forger.add_words(name, |w| w[at..at + 2].fill([0; 32]), fault);
    }
    for (name, at, fault) in [
        ("a row with its sign changed", row + 1, LOOKUPS),
        ("a point of the opening with its sign changed", opening + 1, OPENING),
        ("the last point with its sign changed", opening + 21, OPENING),
    ] {
        forger.add_words(name, |w| w[at] = plus(word(Q), complement(w[at])), fault);
    }
    for (name, label, fault) in [
        ("a lookup's final value of zero", "lookup values", LOOKUPS),
        ("a sum over what is stored of zero", "stored", PRODUCTS),
        ("a factor of zero", "factors", PRODUCTS),
        ("a last value of zero", "value", CLAIMS),
    ] {
        forger.add_words(name, |w| w[places[label]] = [0; 32], fault);
    }
    forger.all()
}
