// SPDX-License-Identifier: MIT OR Apache-2.0
//! Proofs of another length. Checklist 3: nothing is missing, nothing is left over.

use crate::forgery::Forger;
use crate::{Forgery, World};
use sumcheck::Fault;

pub fn forgeries() -> Vec<Forgery> {
    let (world, inputs) = World::digits();
    let mut forger = Forger::new(&world, &inputs);
    let count = forger.honest().words.len();
    forger.add_words("no words", Vec::clear, Fault::Malformed("witness"));
    forger.add_words("one word", |words| words.truncate(1), Fault::Malformed("witness"));
    forger.add_words("the last word missing", |words| words.truncate(count - 1), Fault::Malformed("opening"));
    forger.add_words("the whole opening missing", |words| words.truncate(count - 22), Fault::Malformed("opening"));
    forger.add_words("a word of zeros behind the last", |words| words.push([0; 32]), Fault::Malformed("surplus words"));
    forger.add_words("the last word twice", |words| words.extend_from_within(count - 1..), Fault::Malformed("surplus words"));
    forger.add_words("the opening twice", |words| words.extend_from_within(count - 22..), Fault::Malformed("surplus words"));
    forger.all()
}
