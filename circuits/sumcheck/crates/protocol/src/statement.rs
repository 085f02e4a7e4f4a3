// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is claimed: under this key, in this context, these inputs give these outputs. Rule 59 (a).

use commitment::Commitment;
use compiler::VerifierKey;
use relation::{System, Tensor};
use sumcheck::channel::Word;
use transcript::Transcript;

/// Public: every value is seen by the verifier. Tensors in C order, with the axis of inputs run at once in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What the proof is bound to beside: a request's id, or zero.
    pub context: [u8; 32],
    /// In the program's order.
    pub inputs: Vec<Vec<i64>>,
    /// In the program's order.
    pub outputs: Vec<Vec<i64>>,
}

/// Nothing is hidden.
const PUBLIC: u64 = 0;
/// Of the order of words and the meaning of labels.
const VERSION: u64 = 1;

impl Statement {
    /// Whether it has as many tensors and values as the program.
    pub fn fits(&self, system: &System) -> bool {
        let fits = |values: &[Vec<i64>], ids: &[usize]| {
            let sizes = ids.iter().map(|id| system.tensors.get(*id).map(|tensor| tensor.shape.iter().product::<usize>()));
            values.len() == ids.len() && values.iter().zip(sizes).all(|(own, size)| Some(own.len()) == size)
        };
        fits(&self.inputs, &system.inputs) && fits(&self.outputs, &system.outputs)
    }

    /// Whether every value lies in its tensor's interval: what does not is no value of that tensor, whatever a proof says.
    pub fn is_within(&self, system: &System) -> bool {
        let mut all = self.inputs.iter().zip(&system.inputs).chain(self.outputs.iter().zip(&system.outputs));
        let within = |(values, id): (&Vec<i64>, &usize)| {
            system.tensors.get(*id).is_some_and(|tensor| values.iter().all(|value| (tensor.low..=tensor.high).contains(value)))
        };
        all.all(within)
    }

    /// The transcript that knows all that is public.
    pub(crate) fn begin<C: Commitment>(&self, key: &VerifierKey<C>) -> Transcript {
        let mut transcript = Transcript::new("vml.sumcheck");
        let count = u64::try_from(key.batch).unwrap_or(u64::MAX);
        transcript.absorb_words("statement", &[word(VERSION), key.digest, self.context, word(PUBLIC), word(count)]);
        let tensors = self.inputs.iter().zip(&key.system.inputs).map(|(values, id)| ("input", values, id));
        for (label, values, id) in
            tensors.chain(self.outputs.iter().zip(&key.system.outputs).map(|(values, id)| ("output", values, id)))
        {
            transcript.absorb_words(label, &words(values, key.system.tensors.get(*id)));
        }
        transcript
    }
}

fn word(value: u64) -> Word {
    let mut word = [0; 32];
    if let Some(tail) = word.last_chunk_mut::<8>() {
        *tail = value.to_be_bytes();
    }
    word
}

/// The bytes of a tensor's values, which lie in its interval: a byte each if it can hold no other, else eight, little endian; 32 a word, the
/// last one filled up by zeros. So the tensor and the words determine the values.
fn words(values: &[i64], tensor: Option<&Tensor>) -> Vec<Word> {
    let narrow = tensor.is_some_and(|tensor| tensor.low >= 0 && tensor.high < 256);
    let bytes: Vec<u8> =
        values.iter().flat_map(|value| value.to_le_bytes().into_iter().take(if narrow { 1 } else { 8 })).collect();
    let padded = |chunk: &[u8]| {
        let mut word = [0; 32];
        word.iter_mut().zip(chunk).for_each(|(to, byte)| *to = *byte);
        word
    };
    bytes.chunks(32).map(padded).collect()
}
