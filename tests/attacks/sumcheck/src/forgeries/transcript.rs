// SPDX-License-Identifier: MIT OR Apache-2.0
//! Challenges that do not depend on what was said before them. Checklist 1 and 2: whatever is sent is absorbed before it is answered.

use super::{CLAIMS, LOOKUPS, OPENING, PRODUCTS};
use crate::forgery::Forger;
use crate::{Forgery, Text};
use protocol::forge::{Says, TRUTH};
use sumcheck::{Fault, Writer};
use transcript::Transcript;

/// What a transcript may have missed, and where a verifier who missed nothing notices. The last value is followed by no challenge but
/// those of the opening, which knows it.
const DEAF: [(&str, &str, Fault); 8] = [
    ("challenges that do not know the witness", "witness", LOOKUPS),
    ("challenges that do not know the helpers", "helper", LOOKUPS),
    ("challenges that do not know the lookup rounds", "lookup round", LOOKUPS),
    ("challenges that do not know what the lookups end in", "lookup values", PRODUCTS),
    ("challenges that do not know the sum over what is stored", "stored", PRODUCTS),
    ("challenges that do not know the rounds", "round", PRODUCTS),
    ("challenges that do not know the factors", "factors", CLAIMS),
    ("challenges that do not know the last value", "value", OPENING),
];

pub fn forgeries() -> Vec<Forgery> {
    let world = Text::dense().world(1);
    let inputs = [vec![1, 2, 3, 4]];
    let (mut forger, cubes) = (Forger::new(&world, &inputs), world.cubes(&inputs));
    for (name, missed, fault) in DEAF {
        let writer = |transcript: Transcript| Writer::lying(transcript, Box::new(move |label, _| label != missed));
        forger.add(name, world.saying(&inputs, &[30, 70], &cubes, &Says { writer: &writer, ..TRUTH }), fault);
    }
    let writer = |_: Transcript| Writer::new(Transcript::new("vml.sumcheck"));
    let shown = world.saying(&inputs, &[30, 70], &cubes, &Says { writer: &writer, ..TRUTH });
    forger.add("challenges that do not know the statement", shown, LOOKUPS);
    forger.all()
}
