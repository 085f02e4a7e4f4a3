// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verifier, in one piece.

#![deny(clippy::indexing_slicing)]

use crate::claims::{Batch, Challenges, after_lookups, bind_bits, last, weight_at};
use crate::statement::Statement;
use commitment::Commitment;
use compiler::{Phase, VerifierKey};
use field::Fr;
use relation::{Claim, Form, System};
use sumcheck::channel::Word;
use sumcheck::multilinear::eq_table;
use sumcheck::product::joined;
use sumcheck::{Fault, Reader, rounds};
use transcript::Transcript;

const KEY: Fault = Fault::Malformed("the key does not make sense");

/// Whether the words of a proof show the statement. Returns the transcript behind the last word.
pub fn verify<C: Commitment>(
    key: &VerifierKey<C>,
    reference: &C::VerifierKey,
    statement: &Statement,
    words: &[Word],
) -> Result<Transcript, Fault> {
    let (system, layout) = (&key.system, &key.layout);
    if !statement.fits(system) {
        return Err(Fault::Malformed("the statement is not of this program's shape"));
    }
    if !statement.is_within(system) {
        return Err(Fault::Rejected("a public value leaves its interval"));
    }
    let mut proof = Reader::new(words, statement.begin(key));
    let witness = rows::<C>(key, Phase::Witness, "witness", &mut proof)?;
    let (alpha, beta) = (proof.challenge("alpha"), proof.challenge("beta"));
    let helpers = rows::<C>(key, Phase::Helper, "helper", &mut proof)?;
    let lookups = layout.lookup_helper.bits.max(layout.table_helper.bits);
    let (tau, lambda) = (proof.point("tau", lookups), proof.challenge("lambda"));
    let (point, finals) = logup::verify(layout.lookup_helper.bits, layout.table_helper.bits, &tau, &lambda, &alpha, &mut proof)?;
    let (cube, bind) = (proof.point("cube", 3), proof.point("bind", bind_bits(system)));
    let given = Challenges { beta, point, cube, bind, batch: proof.challenge("batch") };
    let batch = after_lookups(system, layout, statement, &finals, &given).ok_or(KEY)?;
    let (value, mut stored, products) = batch.expand(system, layout).ok_or(KEY)?;

    let of_stored = one(&proof.scalars("stored", 1)?)?;
    let settled = verify_products(system, &products, value - of_stored, &mut proof)?;
    let mut batch = Batch::new(of_stored, proof.challenge("batch"));
    batch.add(Fr::from(0u64), [], []); // power 0 belongs to what is stored
    for (value, claims) in settled {
        batch.add(value, claims, []);
    }
    let (value, more, products) = batch.expand(system, layout).ok_or(KEY)?;
    if !products.is_empty() {
        return Err(KEY);
    }
    stored.extend(more);

    let (point, claim) = rounds::verify(value, layout.total_bits(), 2, &mut proof)?;
    let end = one(&proof.scalars("value", 1)?)?;
    if claim != end * weight_at(&stored, &point).ok_or(KEY)? {
        return Err(Fault::Rejected("the claims on commitments do not hold"));
    }
    let (folded, low) = fold_rows(key, &witness, &helpers, &point).ok_or(KEY)?;
    let words = proof.unabsorbed("opening", C::opening_words_count(layout.row_bits))?;
    let opening = C::opening_from_words(layout.row_bits, words).ok_or(Fault::Malformed("opening"))?;
    if !C::verify(reference, &folded, low, &end, &opening, proof.transcript()) {
        return Err(Fault::Rejected("the opening does not hold"));
    }
    proof.finish()
}

/// Values that the prover sent, each with the claims that it is the sum of.
pub(crate) type Settled = Vec<(Fr, Vec<Claim>)>;

/// The sumcheck of products. Rules 63, 64.
fn verify_products(system: &System, products: &[Claim], value: Fr, proof: &mut Reader) -> Result<Settled, Fault> {
    let sizes = sizes(system, products).ok_or(KEY)?;
    let (point, claim) = rounds::verify(value, sizes.rounds, sizes.degree, proof)?;
    let sent = proof.scalars("factors", products.len().saturating_mul(2))?;
    let (expected, settled) = settle(system, products, &sizes.variables, &point, &sent).ok_or(KEY)?;
    if claim == expected { Ok(settled) } else { Err(Fault::Rejected("the products do not hold")) }
}

/// What the products' sumcheck must end in, and what the values sent claim.
pub(crate) fn settle(
    system: &System,
    products: &[Claim],
    variables: &[usize],
    point: &[Fr],
    sent: &[Fr],
) -> Option<(Fr, Settled)> {
    let (mut expected, mut settled) = (Fr::from(0u64), Vec::new());
    for ((product, variables), [left, right]) in products.iter().zip(variables).zip(sent.as_chunks::<2>().0) {
        let own = last(point, *variables)?;
        let end = match &system.tensors.get(product.tensor)?.form {
            Form::Product(form) => form.settle(product, own, *left, *right),
            Form::Conv(form) => form.settle(product, own, *left, *right),
            _ => None,
        }?;
        expected += product.coefficient * joined(point, *variables) * end.value;
        settled.extend([(*left, end.left), (*right, end.right)]);
    }
    Some((expected, settled))
}

/// Rounds and degree of the products' sumcheck, and each product's variables.
pub(crate) struct Sizes {
    pub rounds: usize,
    pub degree: usize,
    pub variables: Vec<usize>,
}

pub(crate) fn sizes(system: &System, products: &[Claim]) -> Option<Sizes> {
    let of = |claim: &Claim| match &system.tensors.get(claim.tensor)?.form {
        Form::Product(form) => Some((form.variables(), form.weighs())),
        Form::Conv(form) => Some((form.variables(), form.weighs())),
        _ => None,
    };
    let each: Vec<(usize, bool)> = products.iter().map(of).collect::<Option<_>>()?;
    let rounds = each.iter().map(|(variables, _)| *variables).max().unwrap_or(0);
    let degree = if each.iter().any(|(_, weighs)| *weighs) { 3 } else { 2 };
    Some(Sizes { rounds, degree, variables: each.into_iter().map(|(variables, _)| variables).collect() })
}

/// The commitments of a phase.
fn rows<C: Commitment>(
    key: &VerifierKey<C>,
    phase: Phase,
    label: &'static str,
    proof: &mut Reader,
) -> Result<Vec<C::Row>, Fault> {
    let each = C::row_words_count(key.layout.row_bits);
    let words = proof.words(label, key.layout.count(phase).saturating_mul(each))?;
    words.chunks(each.max(1)).map(|row| C::row_from_words(row).ok_or(Fault::Malformed(label))).collect()
}

/// All rows, folded at the high coordinates of a point, and its low ones. Rule 69.
pub fn fold_rows<'a, C: Commitment>(
    key: &VerifierKey<C>,
    witness: &[C::Row],
    helpers: &[C::Row],
    point: &'a [Fr],
) -> Option<(C::Row, &'a [Fr])> {
    let layout = &key.layout;
    let (high, low) = point.split_at_checked(point.len().checked_sub(layout.row_bits)?)?;
    let (mut of_key, mut of_witness, mut of_helpers) = (key.rows.iter(), witness.iter(), helpers.iter());
    let next = |phase: &Phase| match phase {
        Phase::Key => of_key.next(),
        Phase::Witness => of_witness.next(),
        Phase::Helper => of_helpers.next(),
    };
    let rows: Vec<C::Row> = layout.rows.iter().map(next).collect::<Option<Vec<_>>>()?.into_iter().cloned().collect();
    let weights: Vec<Fr> = eq_table(high).into_iter().take(rows.len()).collect();
    Some((C::fold(&rows, &weights)?, low))
}

fn one(scalars: &[Fr]) -> Result<Fr, Fault> {
    scalars.first().copied().ok_or(Fault::Malformed("a scalar"))
}
