// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Fiat-Shamir transcript, part H of docs/protocol.md: one 32-byte state, keccak-256.
//!
//! The same as `verifiable_ml/commitment/transcript.py` and `challenge/src/sumcheck/Transcript.sol`: tests/vectors/transcript.json.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)]

use field::Fr;
use sha3::{Digest, Keccak256};

/// What prover and verifier have said so far. Equal states give equal challenges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    state: [u8; 32],
}

impl Transcript {
    /// Begins with state = H(domain), as 32 bytes.
    pub fn new(domain: &str) -> Self {
        Self { state: Keccak256::digest(padded(domain)).into() }
    }

    /// state = H(state || label || count of words || words).
    pub fn absorb_words(&mut self, label: &'static str, words: &[[u8; 32]]) {
        let mut hash = Keccak256::new();
        hash.update(self.state);
        hash.update(padded(label));
        hash.update([0; 24]);
        hash.update((words.len() as u64).to_be_bytes());
        for word in words {
            hash.update(word);
        }
        self.state = hash.finalize().into();
    }

    /// Absorbs canonical scalars, a word each.
    pub fn absorb_scalars(&mut self, label: &'static str, scalars: &[Fr]) {
        let words: Vec<[u8; 32]> = scalars.iter().map(field::to_bytes).collect();
        self.absorb_words(label, &words);
    }

    /// state = H(state || label); the challenge is the state modulo p, and the state stays unreduced.
    pub fn challenge(&mut self, label: &'static str) -> Fr {
        let mut hash = Keccak256::new();
        hash.update(self.state);
        hash.update(padded(label));
        self.state = hash.finalize().into();
        field::from_bytes_reduced(&self.state)
    }

    /// The state: what a test compares after a round trip.
    pub fn state(&self) -> [u8; 32] {
        self.state
    }
}

/// ASCII, then zeros: Solidity's `bytes32("label")`. Labels are ours and have at most 32 bytes; of a longer one the rest is cut.
fn padded(label: &str) -> [u8; 32] {
    debug_assert!(label.len() <= 32, "a label has at most 32 bytes");
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().zip(label.bytes()) {
        *place = byte;
    }
    bytes
}
