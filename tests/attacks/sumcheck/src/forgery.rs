// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a malicious prover shows, beside what an honest one shows of the same program.

use crate::world::World;
use protocol::Statement;
use serde_json::{Value, json};
use sumcheck::Fault;
use sumcheck::channel::Word;

/// A statement, and words that are said to prove it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What is claimed.
    pub statement: Statement,
    /// The proof.
    pub words: Vec<Word>,
}

/// One lie.
#[derive(Clone)]
pub struct Forgery {
    /// In the words of a test's name.
    pub name: &'static str,
    /// The verification key that both are judged by.
    pub key: Vec<u8>,
    /// The reference string's words.
    pub reference: [Word; 4],
    /// Accepted.
    pub honest: Shown,
    /// Refused,
    pub forged: Shown,
    /// for this reason.
    pub fault: Fault,
}

/// Forgeries of one program, under one honest proof.
pub struct Forger<'a> {
    world: &'a World,
    honest: Shown,
    made: Vec<Forgery>,
}

impl<'a> Forger<'a> {
    /// Of a program on these inputs.
    pub fn new(world: &'a World, inputs: &[Vec<i64>]) -> Self {
        Self { world, honest: world.honest(inputs), made: Vec::new() }
    }

    /// What an honest prover shows.
    pub fn honest(&self) -> &Shown {
        &self.honest
    }

    /// One more.
    pub fn add(&mut self, name: &'static str, forged: Shown, fault: Fault) -> &mut Self {
        let (key, reference) = (self.world.key_bytes(), self.world.reference_words());
        self.made.push(Forgery { name, key, reference, honest: self.honest.clone(), forged, fault });
        self
    }

    /// The honest proof with its statement changed.
    pub fn add_statement(&mut self, name: &'static str, change: impl FnOnce(&mut Statement), fault: Fault) -> &mut Self {
        let mut forged = self.honest.clone();
        change(&mut forged.statement);
        self.add(name, forged, fault)
    }

    /// The honest statement with its proof's words changed.
    pub fn add_words(&mut self, name: &'static str, change: impl FnOnce(&mut Vec<Word>), fault: Fault) -> &mut Self {
        let mut forged = self.honest.clone();
        change(&mut forged.words);
        self.add(name, forged, fault)
    }

    /// All of them.
    pub fn all(self) -> Vec<Forgery> {
        self.made
    }
}

impl Forgery {
    /// For a verifier that is not written in Rust.
    pub fn json(&self) -> Value {
        let (kind, reason) = match self.fault {
            Fault::Malformed(part) => ("malformed", part),
            Fault::Rejected(reason) => ("rejected", reason),
        };
        json!({
            "name": self.name, "key": hex(&self.key), "reference": hex(self.reference.as_flattened()),
            "honest": self.honest.json(), "forged": self.forged.json(), "verdict": kind, "reason": reason,
        })
    }
}

impl Shown {
    fn json(&self) -> Value {
        let Statement { context, inputs, outputs } = &self.statement;
        json!({"context": hex(context), "inputs": inputs, "outputs": outputs, "proof": hex(self.words.as_flattened())})
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
