// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys: what a prover keeps, and what a verifier pins.

use crate::layout::{Layout, Phase};
use commitment::Commitment;
use field::Fr;
use program::Program;
use rayon::prelude::*;
use relation::{Form, System};
use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};

/// One word of a commitment.
type Word = [u8; 32];

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// An operator, and why it cannot be proved.
    Refused { operator: String, reason: String },
    /// The bytes are no key.
    Malformed(&'static str),
    /// A row cannot be committed.
    Commitment(commitment::Error),
}

/// What a verifier pins. Its bytes fix all that a proof is read by.
pub struct VerifierKey<C: Commitment> {
    /// The program.
    pub program: [u8; 32],
    /// The reference string.
    pub reference: [u8; 32],
    /// Inputs that one proof is about.
    pub batch: usize,
    /// Tensors and constraints, without constants.
    pub system: System,
    /// Follows from the system.
    pub layout: Layout,
    /// Commitments to the rows of the key, in order.
    pub rows: Vec<C::Row>,
    /// keccak-256 of `to_bytes`.
    pub digest: [u8; 32],
}

/// What a prover keeps beside it.
pub struct ProverKey<C: Commitment> {
    /// The verifier's.
    pub verifier: VerifierKey<C>,
    /// With constants and recipes.
    pub system: System,
}

/// A key as bytes: JSON, fields in this order.
#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    program: Word,
    reference: Word,
    batch: usize,
    rows: Vec<Word>,
    system: System,
}

/// Of the layout and the order of a proof's words.
pub const VERSION: u32 = 1;

/// Makes both keys. `program_id` is the program's, which the caller has computed from the same bytes.
pub fn setup<C: Commitment>(
    program: &Program,
    program_id: [u8; 32],
    batch: usize,
    reference: [u8; 32],
    committer: impl FnOnce(usize) -> Result<C::ProverKey, commitment::Error>,
) -> Result<(ProverKey<C>, C::ProverKey), KeyError>
where
    C::ProverKey: Sync,
    C::Row: Send,
{
    let refusal = |refusal: gadgets::Refusal| KeyError::Refused { operator: refusal.operator, reason: refusal.reason };
    let system = gadgets::lower(program, batch).map_err(refusal)?;
    let layout = Layout::new(&system).ok_or(KeyError::Malformed("the system is too large"))?;
    let key = committer(layout.row_bits).map_err(KeyError::Commitment)?;
    let rows = rows(&system, &layout, Phase::Key, |id| system.constants.get(&id).map(|values| values.as_slice()));
    let rows = rows.into_par_iter().map(|(_, row)| commit::<C>(&key, &row)).collect::<Result<Vec<_>, _>>().map_err(KeyError::Commitment)?;
    let verifier = VerifierKey::new(program_id, reference, batch, system.clone(), layout, rows)?;
    Ok((ProverKey { verifier, system }, key))
}

/// The rows of a phase, each with its number: integers as they are committed, from each tensor's cube.
pub fn rows<'a>(system: &System, layout: &Layout, phase: Phase, read: impl Fn(usize) -> Option<&'a [i64]>) -> Vec<(usize, Vec<i64>)> {
    let mut rows: Vec<(usize, Vec<i64>)> = layout.rows.iter().enumerate().filter(|(_, own)| **own == phase).map(|(row, _)| (row, vec![0; 1 << layout.row_bits])).collect();
    let place_of = |row: usize| layout.rows.iter().take(row).filter(|own| **own == phase).count();
    for (id, (tensor, place)) in system.tensors.iter().zip(&layout.tensors).enumerate() {
        let (base, own) = match tensor.form {
            Form::Committed { base } => (base, Phase::Witness),
            _ => (0, Phase::Key),
        };
        let (Some(place), Some(values)) = (place, read(id)) else { continue };
        if own != phase {
            continue;
        }
        let (mut row, mut offset) = (place_of(place.start >> layout.row_bits), place.start & ((1 << layout.row_bits) - 1));
        for chunk in values.chunks(1 << layout.row_bits) {
            rows[row].1[offset..][..chunk.len()].iter_mut().zip(chunk).for_each(|(to, value)| *to = value - base);
            (row, offset) = (row + 1, 0);
        }
    }
    rows
}

/// Commits to a row of integers in the narrowest type that holds it.
pub fn commit<C: Commitment>(key: &C::ProverKey, row: &[i64]) -> Result<C::Row, commitment::Error> {
    let (low, high) = row.iter().fold((0, 0), |(low, high), v| (v.min(low), v.max(high)));
    if low >= 0 && high < 1 << 8 {
        C::commit_u8(key, &row.iter().map(|v| *v as u8).collect::<Vec<u8>>())
    } else if low >= 0 && high < 1 << 16 {
        C::commit_u16(key, &row.iter().map(|v| *v as u16).collect::<Vec<u16>>())
    } else if low >= i32::MIN.into() && high <= i32::MAX.into() {
        C::commit_i32(key, &row.iter().map(|v| *v as i32).collect::<Vec<i32>>())
    } else {
        C::commit_field(key, &row.iter().map(|v| Fr::from(*v)).collect::<Vec<Fr>>())
    }
}

impl<C: Commitment> VerifierKey<C> {
    fn new(program: Word, reference: Word, batch: usize, system: System, layout: Layout, rows: Vec<C::Row>) -> Result<Self, KeyError> {
        let mut key = Self { program, reference, batch, system, layout, rows, digest: [0; 32] };
        key.digest = Keccak256::digest(key.to_bytes()?).into();
        Ok(key)
    }

    /// One key has one form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, KeyError> {
        let file = File {
            version: VERSION,
            program: self.program,
            reference: self.reference,
            batch: self.batch,
            rows: self.rows.iter().flat_map(|row| C::words(row)).collect(),
            system: self.system.clone(),
        };
        serde_json::to_vec(&file).map_err(|_| KeyError::Malformed("it cannot be written"))
    }

    /// Reads what `to_bytes` writes, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let file: File = serde_json::from_slice(bytes).map_err(|_| KeyError::Malformed("it is no key"))?;
        if file.version != VERSION || !file.system.is_well_formed() {
            return Err(KeyError::Malformed("it is of another version, or refers to what it does not have"));
        }
        let layout = Layout::new(&file.system).ok_or(KeyError::Malformed("its system is too large"))?;
        let (each, count) = (C::row_words_count(layout.row_bits), layout.count(Phase::Key));
        if file.rows.len() != each * count {
            return Err(KeyError::Malformed("it has not as many rows as its layout"));
        }
        let rows = file.rows.chunks(each.max(1)).map(C::row_from_words).collect::<Option<Vec<_>>>();
        let rows = rows.ok_or(KeyError::Malformed("a row of it is no commitment"))?;
        let key = Self::new(file.program, file.reference, file.batch, file.system, layout, rows)?;
        if key.to_bytes()? == bytes { Ok(key) } else { Err(KeyError::Malformed("its bytes are not what a key is written as")) }
    }
}
