// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys: what a prover keeps, and what a verifier pins.

use crate::layout::{Layout, Phase};
use commitment::Commitment;
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
    /// An operator cannot be proved.
    Refused(gadgets::Refusal),
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
    let system = gadgets::lower(program, batch).map_err(KeyError::Refused)?;
    let layout = Layout::new(&system).ok_or(KeyError::Malformed("the system is too large"))?;
    let key = committer(layout.row_bits).map_err(KeyError::Commitment)?;
    let rows = rows(&system, &layout, |id| system.constants.get(&id).map(|values| values.as_slice()));
    let own = rows.par_iter().zip(&layout.rows).filter(|(_, phase)| **phase == Phase::Key);
    let rows = own.map(|(row, _)| C::commit_integers(&key, row)).collect::<Result<Vec<_>, _>>().map_err(KeyError::Commitment)?;
    let verifier = VerifierKey::new(program_id, reference, batch, system.clone(), layout, rows)?;
    Ok((ProverKey { verifier, system }, key))
}

/// Every row's integers as they are committed, from the cubes of those tensors that `read` knows; zero elsewhere.
pub fn rows<'a>(system: &System, layout: &Layout, read: impl Fn(usize) -> Option<&'a [i64]>) -> Vec<Vec<i64>> {
    let size = 1 << layout.row_bits;
    let mut rows: Vec<Vec<i64>> = layout.rows.iter().map(|_| vec![0; size]).collect(); // memory is touched where it is written
    for (id, (tensor, place)) in system.tensors.iter().zip(&layout.tensors).enumerate() {
        let (Some(place), Some(values)) = (place, read(id)) else { continue };
        let base = if let Form::Committed { base } = tensor.form { base } else { 0 };
        write(&mut rows, place.start, values, base);
    }
    rows
}

/// Writes values, `base` subtracted, from an entry of the list of all rows on.
pub fn write(rows: &mut [Vec<i64>], start: usize, values: &[i64], base: i64) {
    let Some(size) = rows.first().map(Vec::len) else { return };
    for (chunk, row) in values.chunks(size).zip(start / size..) {
        rows[row][start % size..][..chunk.len()].iter_mut().zip(chunk).for_each(|(to, value)| *to = value - base);
    }
}

impl<C: Commitment> VerifierKey<C> {
    fn new(
        program: Word,
        reference: Word,
        batch: usize,
        system: System,
        layout: Layout,
        rows: Vec<C::Row>,
    ) -> Result<Self, KeyError> {
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
