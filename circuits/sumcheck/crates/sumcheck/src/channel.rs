// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the prover says is what the transcript absorbs: words cannot be sent, or read, in any other way.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use field::Fr;
use transcript::Transcript;

/// One word of a proof: a scalar, or half of a point, big endian.
pub type Word = [u8; 32];

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No proof under this key looks so: a missing or surplus word, a scalar at or above p, a point off the curve.
    Malformed(&'static str),
    /// It looks like a proof, and does not hold.
    Rejected(&'static str),
}

/// The verifier's end: to read is to absorb.
pub struct Reader<'a> {
    words: &'a [Word],
    transcript: Transcript,
}

impl<'a> Reader<'a> {
    /// Reads `words` from the first one on.
    pub fn new(words: &'a [Word], transcript: Transcript) -> Self {
        Self { words, transcript }
    }

    /// The next `count` words.
    pub fn words(&mut self, label: &'static str, count: usize) -> Result<&'a [Word], Fault> {
        let taken = self.unabsorbed(label, count)?;
        self.transcript.absorb_words(label, taken);
        Ok(taken)
    }

    /// The next `count` words, for a reader that absorbs what it reads itself: a commitment's opening.
    pub fn unabsorbed(&mut self, label: &'static str, count: usize) -> Result<&'a [Word], Fault> {
        let (taken, rest) = self.words.split_at_checked(count).ok_or(Fault::Malformed(label))?;
        self.words = rest;
        Ok(taken)
    }

    /// The next `count` scalars, each below p.
    pub fn scalars(&mut self, label: &'static str, count: usize) -> Result<Vec<Fr>, Fault> {
        let words = self.words(label, count)?;
        words.iter().map(|word| field::from_bytes(word).ok_or(Fault::Malformed(label))).collect()
    }

    /// One challenge.
    pub fn challenge(&mut self, label: &'static str) -> Fr {
        self.transcript.challenge(label)
    }

    /// A point of `count` coordinates.
    pub fn point(&mut self, label: &'static str, count: usize) -> Vec<Fr> {
        (0..count).map(|_| self.transcript.challenge(label)).collect()
    }

    /// The transcript, for an opening to go on with.
    pub fn transcript(&mut self) -> &mut Transcript {
        &mut self.transcript
    }

    /// Nothing may be left over.
    pub fn finish(self) -> Result<Transcript, Fault> {
        if self.words.is_empty() { Ok(self.transcript) } else { Err(Fault::Malformed("surplus words")) }
    }
}

/// The prover's end.
pub struct Writer {
    words: Vec<Word>,
    transcript: Transcript,
    #[cfg(feature = "forge")]
    liar: Option<Liar>,
}

/// What a liar makes of the words of a label on their way out, and whether the transcript hears of them.
#[cfg(feature = "forge")]
pub type Liar = Box<dyn FnMut(&'static str, &mut Vec<Word>) -> bool>;

#[cfg(feature = "forge")]
impl Writer {
    /// An empty proof whose words pass through a liar.
    pub fn lying(transcript: Transcript, liar: Liar) -> Self {
        Self { words: Vec::new(), transcript, liar: Some(liar) }
    }

    fn lie(&mut self, label: &'static str, words: &[Word]) -> bool {
        let Some(liar) = &mut self.liar else { return false };
        let mut words = words.to_vec();
        if liar(label, &mut words) {
            self.transcript.absorb_words(label, &words);
        }
        self.words.extend(words);
        true
    }
}

impl Writer {
    /// An empty proof.
    pub fn new(transcript: Transcript) -> Self {
        Self {
            words: Vec::new(),
            transcript,
            #[cfg(feature = "forge")]
            liar: None,
        }
    }

    /// Sends and absorbs.
    pub fn words(&mut self, label: &'static str, words: &[Word]) {
        #[cfg(feature = "forge")]
        if self.lie(label, words) {
            return;
        }
        self.transcript.absorb_words(label, words);
        self.words.extend_from_slice(words);
    }

    /// Sends what the transcript has absorbed already.
    pub fn unabsorbed(&mut self, words: &[Word]) {
        self.words.extend_from_slice(words);
    }

    /// Sends and absorbs, a word each.
    pub fn scalars(&mut self, label: &'static str, scalars: &[Fr]) {
        let words: Vec<Word> = scalars.iter().map(field::to_bytes).collect();
        self.words(label, &words);
    }

    /// One challenge.
    pub fn challenge(&mut self, label: &'static str) -> Fr {
        self.transcript.challenge(label)
    }

    /// A point of `count` coordinates.
    pub fn point(&mut self, label: &'static str, count: usize) -> Vec<Fr> {
        (0..count).map(|_| self.transcript.challenge(label)).collect()
    }

    /// The transcript, for an opening to go on with.
    pub fn transcript(&mut self) -> &mut Transcript {
        &mut self.transcript
    }

    /// The proof, and the transcript behind its last word.
    pub fn finish(self) -> (Vec<Word>, Transcript) {
        (self.words, self.transcript)
    }
}
