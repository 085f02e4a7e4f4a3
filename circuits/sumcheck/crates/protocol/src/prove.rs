// SPDX-License-Identifier: MIT OR Apache-2.0
//! The prover: the verifier's stages in the same order, each with what it takes to answer.

use crate::claims::{Batch, Challenges, after_lookups, bind_bits};
use crate::statement::Statement;
use crate::tables::{
    add_weights, fingerprints_of_lookups, fingerprints_of_tables, in_field, is_constant, multiplicities, weighed, zeros,
};
use crate::verify::{fold_rows, settle, sizes};
use commitment::Commitment;
use compiler::{Layout, Phase, ProverKey};
use field::Fr;
use logup::Side;
use rayon::prelude::*;
use relation::{Claim, Form, System};
use std::sync::Arc;
use sumcheck::Writer;
use sumcheck::channel::Word;
use sumcheck::product::{Product, Prover};
use transcript::Transcript;

/// Why there is no proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProveError {
    /// Inputs that are not of the program's shape, or leave its intervals.
    Input(&'static str),
    /// A row cannot be committed or opened.
    Commitment(commitment::Error),
    /// A challenge met a fingerprint, with a chance of one in 2^200: change the context, or any input.
    Vanishing,
    /// The key does not make sense.
    Key,
    /// Whoever was told of a stage said no.
    Cancelled,
}

/// Told each stage's name when it begins, on the caller's thread; false ends the work.
pub type Stages<'a> = &'a (dyn Fn(&'static str) -> bool + Sync);

/// Tells nobody.
pub const UNTOLD: Stages = &|_| true;

fn begin(stages: Stages, name: &'static str) -> Result<(), ProveError> {
    stages(name).then_some(()).ok_or(ProveError::Cancelled)
}

/// Runs the program and proves what it gave. Returns the statement and the proof's words.
pub fn prove<C: Commitment>(
    key: &ProverKey<C>,
    committer: &C::ProverKey,
    context: [u8; 32],
    inputs: Vec<Vec<i64>>,
    stages: Stages,
) -> Result<(Statement, Vec<Word>), ProveError>
where
    C::ProverKey: Sync,
    C::Row: Send,
{
    begin(stages, "running the program")?;
    let cubes = run(&key.system, &inputs)?;
    let outputs = key.system.outputs.iter().map(|id| unpadded(&key.system.tensors[*id].shape, &cubes[*id])).collect();
    let statement = Statement { context, inputs, outputs };
    let words = prove_cubes(key, committer, &statement, &cubes, &TRUTH, stages)?;
    Ok((statement, words))
}

/// Every tensor's cube.
pub fn run(system: &System, inputs: &[Vec<i64>]) -> Result<Vec<Arc<Vec<i64>>>, ProveError> {
    on_cubes(system, inputs).map(|cubes| system.values(&cubes))
}

/// The inputs, checked and padded.
pub fn on_cubes(system: &System, inputs: &[Vec<i64>]) -> Result<Vec<Vec<i64>>, ProveError> {
    if inputs.len() != system.inputs.len() {
        return Err(ProveError::Input("there are not as many inputs as the program takes"));
    }
    let padded = |(id, values): (&usize, &Vec<i64>)| {
        let tensor = &system.tensors[*id];
        let within = values.iter().all(|value| (tensor.low..=tensor.high).contains(value));
        let fits = within && values.len() == tensor.shape.iter().product::<usize>();
        fits.then(|| padded(&tensor.shape, values, tensor.low)).ok_or(ProveError::Input("it leaves its shape or its interval"))
    };
    system.inputs.iter().zip(inputs).map(padded).collect()
}

/// On the cube; padding is the least value of the interval, which is in it.
fn padded(shape: &[usize], values: &[i64], fill: i64) -> Vec<i64> {
    let mut cube = vec![fill; 1 << shape.iter().map(|size| relation::bits(*size)).sum::<usize>()];
    places(shape).zip(values).for_each(|(place, value)| cube[place] = *value);
    cube
}

fn unpadded(shape: &[usize], cube: &[i64]) -> Vec<i64> {
    places(shape).map(|place| cube[place]).collect()
}

/// Where the entries of a shape stand on its cube, in C order.
fn places(shape: &[usize]) -> impl Iterator<Item = usize> {
    (0..shape.iter().product()).map(|mut index: usize| {
        let (mut place, mut shift) = (0, 0);
        for size in shape.iter().rev() {
            place |= (index % size) << shift;
            index /= size;
            shift += relation::bits(*size);
        }
        place
    })
}

/// What a prover may say beside the truth; the honest one changes nothing. Each is what one of the verifier's checks is for.
pub struct Says<'a> {
    /// To whom: the proof that all of it is written to, from a transcript that knows the statement.
    pub writer: &'a dyn Fn(Transcript) -> Writer,
    /// Of multiplicities.
    pub counts: &'a dyn Fn(&mut [i64]),
    /// Of both helpers, the lookups' first, before anything is said of them.
    pub sides: &'a dyn Fn(&mut [Fr], &mut [Fr]),
    /// Of all values by their place, once the lookup's challenges are known: it commits to helpers as they are then.
    pub helpers: &'a dyn Fn(&mut [Fr]),
    /// Of all values by their place, when rows of the witness are committed.
    pub witness: &'a dyn Fn(&mut [Vec<i64>]),
    /// Of the sum over what is stored: from what is left for it and for products, and the truth.
    pub stored: &'a dyn Fn(Fr, Fr) -> Fr,
    /// Of the products' factors: from what their sumcheck ended in, and what it has to end in by the factors.
    pub factors: &'a OfFactors,
    /// Of the last value, and of the row that is opened: from what the last sumcheck ended in, the weight there, and where.
    pub value: &'a OfValue,
}

/// See `Says::factors`.
pub type OfFactors = dyn Fn(Fr, &dyn Fn(&[Fr]) -> Option<Fr>, &mut [Fr]);

/// See `Says::value`.
pub type OfValue = dyn Fn((Fr, Fr), &[Fr], (&mut Fr, &mut [Fr]));

/// Nothing but what is so.
pub const TRUTH: Says = Says {
    writer: &Writer::new,
    counts: &|_| (),
    sides: &|_, _| (),
    helpers: &|_| (),
    witness: &|_| (),
    stored: &|_, truth| truth,
    factors: &|_, _, _| (),
    value: &|_, _, _| (),
};

/// The proof for given cubes: a lie in them is a lie in the proof.
pub fn prove_cubes<C: Commitment>(
    key: &ProverKey<C>,
    committer: &C::ProverKey,
    statement: &Statement,
    cubes: &[Arc<Vec<i64>>],
    says: &Says,
    stages: Stages,
) -> Result<Vec<Word>, ProveError>
where
    C::ProverKey: Sync,
    C::Row: Send,
{
    let (system, layout) = (&key.system, &key.verifier.layout);
    begin(stages, "committing to the witness")?;
    let mut proof = (says.writer)(statement.begin(&key.verifier));
    let mut multiplicities = multiplicities(system, layout, cubes)?;
    (says.counts)(&mut multiplicities);
    let witness = |id: usize| if is_constant(system, id) { None } else { cubes.get(id).map(|cube| cube.as_slice()) };
    let mut values = compiler::rows(system, layout, witness);
    compiler::write(&mut values, layout.multiplicities.start, &multiplicities, 0);
    (says.witness)(&mut values);
    let of_witness =
        commit_rows::<C>(layout, Phase::Witness, "witness", &mut proof, |row| C::commit_integers(committer, &values[row]))?;
    let (alpha, beta) = (proof.challenge("alpha"), proof.challenge("beta"));
    begin(stages, "committing to the lookups")?;
    let mut lookups =
        Side::new(&fingerprints_of_lookups(system, layout, cubes, beta), None, &alpha).map_err(|_| ProveError::Vanishing)?;
    let counts: Vec<Fr> = multiplicities.iter().map(|count| Fr::from(*count)).collect();
    let mut tables = Side::new(&fingerprints_of_tables(system, layout, cubes, beta), Some(&counts), &alpha)
        .map_err(|_| ProveError::Vanishing)?;
    begin(stages, "committing to the helpers")?;
    (says.sides)(&mut lookups.helper, &mut tables.helper);
    let size = 1 << layout.row_bits;
    let mut all = in_field(system, layout, cubes, &values);
    drop(values);
    for (place, helper) in [(layout.lookup_helper, &lookups.helper), (layout.table_helper, &tables.helper)] {
        all[place.start..][..helper.len()].copy_from_slice(helper);
    }
    (says.helpers)(&mut all);
    let of_helpers = commit_rows::<C>(layout, Phase::Helper, "helper", &mut proof, |row| {
        C::commit_field(committer, &all[row * size..][..size])
    })?;
    let rounds = layout.lookup_helper.bits.max(layout.table_helper.bits);
    let (tau, lambda) = (proof.point("tau", rounds), proof.challenge("lambda"));
    begin(stages, "sumcheck of the lookups")?;
    let (point, finals) = logup::prove(lookups, tables, &tau, &lambda, &mut proof);
    let (cube, bind) = (proof.point("cube", 3), proof.point("bind", bind_bits(system)));
    let given = Challenges { beta, point, cube, bind, batch: proof.challenge("batch") };
    let batch = after_lookups(system, layout, statement, &finals, &given).ok_or(ProveError::Key)?;
    let (value, stored, products) = batch.expand(system, layout).ok_or(ProveError::Key)?;

    begin(stages, "claims on all values")?;
    let mut weights = zeros(all.len());
    stored.iter().for_each(|stored| add_weights(&mut weights, stored));
    let of_stored = weighed(&all, &weights, &stored);
    let of_stored = (says.stored)(value, of_stored);
    proof.scalars("stored", &[of_stored]);
    begin(stages, "sumcheck of the products")?;
    let settled = prove_products(system, &products, cubes, value - of_stored, (says, &mut proof)).ok_or(ProveError::Key)?;
    let mut batch = Batch::new(of_stored, proof.challenge("batch"));
    batch.add(Fr::from(0u64), [], []);
    for (value, claims) in settled {
        batch.add(value, claims, []);
    }
    let (value, stored, _) = batch.expand(system, layout).ok_or(ProveError::Key)?;
    stored.iter().for_each(|stored| add_weights(&mut weights, stored));

    begin(stages, "last sumcheck")?;
    let variables = layout.total_bits();
    let product = Product { coefficient: Fr::from(1u64), variables, left: all, right: weights, weight: None };
    let mut last = Prover::new(vec![product], variables, 2, value);
    (layout.row_bits..variables).for_each(|_| last.step(&mut proof));
    let mut folded = last.left(0).to_vec();
    (0..layout.row_bits).for_each(|_| last.step(&mut proof));
    let claim = last.claim();
    let (point, ends) = last.finish(&mut proof);
    let (mut end, weight) = ends[0];
    (says.value)((claim, weight), &point[variables - layout.row_bits..], (&mut end, &mut folded));
    proof.scalars("value", &[end]);
    begin(stages, "opening")?;
    open::<C>(key, committer, (of_witness, of_helpers), &point, &folded, &mut proof)?;
    Ok(proof.finish().0)
}

/// Commits to the rows of a phase, and sends them.
fn commit_rows<C: Commitment>(
    layout: &Layout,
    phase: Phase,
    label: &'static str,
    proof: &mut Writer,
    commit: impl Fn(usize) -> Result<C::Row, commitment::Error> + Sync + Send,
) -> Result<Vec<C::Row>, ProveError>
where
    C::Row: Send,
{
    let own: Vec<usize> = (0..layout.rows.len()).filter(|row| layout.rows[*row] == phase).collect();
    let rows: Vec<C::Row> = own.into_par_iter().map(commit).collect::<Result<_, _>>().map_err(ProveError::Commitment)?;
    proof.words(label, &rows.iter().flat_map(|row| C::words(row)).collect::<Vec<Word>>());
    Ok(rows)
}

/// The sumcheck of products; the values sent, each with the claims that it is the sum of.
fn prove_products(
    system: &System,
    claims: &[Claim],
    cubes: &[Arc<Vec<i64>>],
    value: Fr,
    (says, proof): (&Says, &mut Writer),
) -> Option<Vec<(Fr, Vec<Claim>)>> {
    let sizes = sizes(system, claims)?;
    let read = |id: usize| cubes[id].as_slice();
    let form = |claim: &Claim| &system.tensors[claim.tensor].form;
    let product = |(claim, variables): (&Claim, &usize)| {
        let (left, right, weight) = match form(claim) {
            Form::Product(form) => form.tables(claim, read),
            Form::Conv(form) => form.tables(claim, read),
            _ => None,
        }?;
        Some(Product { coefficient: claim.coefficient, variables: *variables, left, right, weight })
    };
    let products: Vec<Product> = claims.iter().zip(&sizes.variables).map(product).collect::<Option<_>>()?;
    let mut prover = Prover::new(products, sizes.rounds, sizes.degree, value);
    (0..sizes.rounds).for_each(|_| prover.step(proof));
    let claim = prover.claim();
    let (point, ends) = prover.finish(proof);
    let mut sent = Vec::new();
    for (claim, (left, right)) in claims.iter().zip(ends) {
        let zeros = match form(claim) {
            Form::Product(form) => form.zeros(claim),
            Form::Conv(form) => form.zeros(claim),
            _ => None,
        }?;
        sent.extend([left + zeros.0, right + zeros.1]);
    }
    let must_be = |sent: &[Fr]| settle(system, claims, &sizes.variables, &point, sent).map(|(expected, _)| expected);
    (says.factors)(claim, &must_be, &mut sent);
    proof.scalars("factors", &sent);
    settle(system, claims, &sizes.variables, &point, &sent).map(|(_, settled)| settled)
}

fn open<C: Commitment>(
    key: &ProverKey<C>,
    committer: &C::ProverKey,
    (witness, helpers): (Vec<C::Row>, Vec<C::Row>),
    point: &[Fr],
    folded: &[Fr],
    proof: &mut Writer,
) -> Result<(), ProveError> {
    let (row, low) = fold_rows::<C>(&key.verifier, &witness, &helpers, point).ok_or(ProveError::Key)?;
    let opening = C::open(committer, &row, folded, low, proof.transcript()).map_err(ProveError::Commitment)?;
    proof.unabsorbed(&C::opening_words(&opening));
    Ok(())
}
