// SPDX-License-Identifier: MIT OR Apache-2.0
//! A verification key as a plan: the verifier's steps in a row, as instructions that one contract runs for every program.
//!
//! In: a `VerifierKey`. Out: bytes for a data contract. What a verifier does depends on its key and on nothing that a prover sends but
//! the values, so `protocol::verify` is written down once, here, with registers for scalars. Pinned by whoever deploys: it
//! follows from the key. A plan is made by the key's owner, so a malformed key may panic.

mod claims;
mod factor;
mod machine;

pub use machine::Op;

use claims::{Claim, Settled, expand, settle_conv, settle_product};
use commitment::Commitment;
use compiler::{Layout, Phase, Place, VerifierKey};
use factor::{Factor, eq_index, eq_table, prefix, ramp};
use machine::{Reg, Writer, exact};
use relation::weights::PACKED_BITS;
use relation::{Column, Form, System, bits};

/// Why a proof is rejected, as `Machine.sol` numbers it.
const LOOKUPS: usize = 1;
const PRODUCTS: usize = 2;
const STORED: usize = 3;

/// log2 of the fractions that share a helper.
const GROUP_BITS: usize = 3;
const GROUP: usize = 1 << GROUP_BITS;

/// The plan of a key. `tau` is the reference string's secret in the second group, as a contract takes it: `Srs::tau_words`.
pub fn plan<C: Commitment>(key: &VerifierKey<C>, tau: [[u8; 32]; 4]) -> Vec<u8> {
    let mut made = Made { plan: Writer::default(), system: &key.system, layout: &key.layout };
    made.verify(key);
    made.plan.finish(key.digest, tau, key.batch)
}

/// coefficient * sum of weights * the cube at a place.
struct Stored {
    coefficient: Reg,
    place: Place,
    weights: Vec<Factor>,
}

/// A sum of claims with its value, as `protocol::claims::Batch`.
struct Batch {
    value: Vec<(Reg, Reg)>,
    power: Reg,
    step: Reg,
    claims: Vec<Claim>,
    stored: Vec<Stored>,
}

struct Made<'a> {
    plan: Writer,
    system: &'a System,
    layout: &'a Layout,
}

/// What was drawn and read before claims are made of it.
struct Drawn {
    beta: Reg,
    point: Vec<Reg>,
    cube: Vec<Reg>,
    bind: Vec<Reg>,
    finals: Vec<Reg>,
}

impl Made<'_> {
    fn verify<C: Commitment>(&mut self, key: &VerifierKey<C>) {
        let publics = self.publics();
        let witness = self.points("witness", self.layout.count(Phase::Witness));
        let (alpha, beta) = (self.draw("alpha", 1)[0], self.draw("beta", 1)[0]);
        let helpers = self.points("helper", self.layout.count(Phase::Helper));
        let (point, finals) = self.lookups(alpha);
        let given = Drawn { beta, point, cube: self.draw("cube", GROUP_BITS), bind: vec![], finals };
        let given = Drawn { bind: self.draw("bind", bind_bits(self.system)), ..given };
        let step = self.draw("batch", 1)[0];
        let batch = self.after_lookups(&given, step, &publics);
        let (value, mut stored, products) = self.expand(batch);

        let of_stored = self.read("stored", 1)[0];
        let of_products = self.plan.add(value, -1, of_stored);
        let settled = self.products(&products, of_products);
        let step = self.draw("batch", 1)[0];
        let one = self.plan.integer(1);
        let mut batch = Batch { value: vec![(one, of_stored)], power: step, step, claims: vec![], stored: vec![] };
        for (value, claims) in settled {
            self.add(&mut batch, vec![(one, value)], claims, vec![]);
        }
        let (value, more, products) = self.expand(batch);
        assert!(products.is_empty(), "factors of products are flat");
        stored.extend(more);

        let total = self.layout.total_bits();
        let (point, claim) = self.rounds(value, total, 2);
        let end = self.read("value", 1)[0];
        let weight = self.weight_at(&stored, &point);
        let expected = self.plan.mul(end, weight);
        self.plan.effect(Op::Same, claim, expected, 0, STORED, 0);
        self.opening(key, &point, end, witness, helpers);
    }

    // ---- what is read and drawn ---------------------------------------------------------------------------------------

    fn draw(&mut self, label: &str, count: usize) -> Vec<Reg> {
        let zero = self.plan.integer(0);
        let label = self.label(label);
        let first = self.plan.effect(Op::Draw, zero, zero, count, label, count);
        (0..count).map(|i| first.plus(i)).collect()
    }

    fn read(&mut self, label: &str, count: usize) -> Vec<Reg> {
        let zero = self.plan.integer(0);
        let label = self.label(label);
        self.plan.words.1 += count;
        let first = self.plan.effect(Op::Read, zero, zero, count, label, count);
        (0..count).map(|i| first.plus(i)).collect()
    }

    fn points(&mut self, label: &str, count: usize) -> Reg {
        let zero = self.plan.integer(0);
        let label = self.label(label);
        self.plan.words.1 += 2 * count;
        self.plan.effect(Op::Points, zero, zero, count, label, 1)
    }

    fn label(&mut self, label: &str) -> usize {
        let mut word = [0; 32];
        word[..label.len()].copy_from_slice(label.as_bytes());
        self.plan.data(&word)
    }

    fn rounds(&mut self, claim: Reg, rounds: usize, degree: usize) -> (Vec<Reg>, Reg) {
        self.plan.words.1 += rounds * degree;
        let first = self.plan.effect(Op::Rounds, claim, claim, rounds, degree, rounds + 1);
        ((0..rounds).map(|i| first.plus(i)).collect(), first.plus(rounds))
    }

    /// Absorbs inputs and outputs: where each begins, and bytes an integer.
    fn publics(&mut self) -> Vec<(Reg, usize)> {
        let zero = self.plan.integer(0);
        let ids = self.system.inputs.iter().map(|id| ("input", id)).chain(self.system.outputs.iter().map(|id| ("output", id)));
        let mut made = Vec::new();
        for (label, id) in ids {
            let tensor = &self.system.tensors[*id];
            let width = if tensor.low >= 0 && tensor.high < 256 { 1 } else { 8 };
            let words = (tensor.shape.iter().product::<usize>() * width).div_ceil(32);
            let label = self.label(label);
            self.plan.words.0 += words;
            made.push((self.plan.effect(Op::Public, zero, zero, words, label, 1), width));
        }
        made
    }

    // ---- the lookup argument ------------------------------------------------------------------------------------------

    fn lookups(&mut self, alpha: Reg) -> (Vec<Reg>, Vec<Reg>) {
        let rounds = self.layout.lookup_helper.bits.max(self.layout.table_helper.bits);
        let tau = self.draw("tau", rounds);
        let lambda = self.draw("lambda", 1)[0];
        let zero = self.plan.integer(0);
        self.plan.words.1 += rounds * (GROUP + 1);
        let from = self.plan.range(&tau);
        let first = self.plan.effect(Op::LookupRounds, from, zero, rounds, 0, rounds + 1);
        let finals = self.read("lookup values", 2 + 3 * GROUP);
        let of_lookups = self.plan.effect(Op::Defect, finals[0], alpha, 0, 0, 1);
        let of_tables = self.plan.effect(Op::Defect, finals[1 + GROUP], alpha, 0, 1, 1);
        let one = self.plan.integer(1);
        let expected = self.plan.sum(&[(one, of_lookups), (lambda, of_tables)]);
        self.plan.effect(Op::Same, first.plus(rounds), expected, 0, LOOKUPS, 0);
        ((0..rounds).map(|i| first.plus(i)).collect(), finals)
    }

    /// As `protocol::claims::after_lookups`.
    fn after_lookups(&mut self, given: &Drawn, step: Reg, publics: &[(Reg, usize)]) -> Batch {
        let one = self.plan.integer(1);
        let mut batch = Batch { value: vec![], power: one, step, claims: vec![], stored: vec![] };
        let (h, g) = (self.layout.lookup_helper, self.layout.table_helper);
        let of_lookups = [&given.cube, last(&given.point, h.bits)].concat();
        let of_tables = [&given.cube, last(&given.point, g.bits)].concat();
        let weights = eq_table(&mut self.plan, &given.cube);
        let combine = |made: &mut Self, from: usize| made.plan.pure(Op::Dot, weights, given.finals[from], GROUP, 0, 1);
        let [f, t, m] = [1, 2 + GROUP, 2 + 2 * GROUP].map(|from| combine(self, from));
        let (constant, claims) = self.fingerprints_of_lookups(&of_lookups, given.beta);
        let value = self.plan.add(f, -1, constant);
        self.add(&mut batch, vec![(one, value)], claims, vec![]);
        let (constant, claims) = self.fingerprints_of_tables(&of_tables, given.beta);
        let value = self.plan.add(t, -1, constant);
        self.add(&mut batch, vec![(one, value)], claims, vec![]);
        let stored = |place: Place, weights: Factor, coefficient: Reg| Stored { coefficient, place, weights: vec![weights] };
        let own = |place: Place| Factor::Eq(last(&given.point, place.bits).to_vec());
        self.add(&mut batch, vec![(one, m)], vec![], vec![stored(self.layout.multiplicities, Factor::Eq(of_tables), one)]);
        self.add(&mut batch, vec![(one, given.finals[0])], vec![], vec![stored(h, own(h), one)]);
        self.add(&mut batch, vec![(one, given.finals[1 + GROUP])], vec![], vec![stored(g, own(g), one)]);
        let ones = |place: Place| Factor::Prefix(place.bits, 1 << place.bits);
        let minus = self.plan.integer(-1);
        self.add(&mut batch, vec![], vec![], vec![stored(h, ones(h), one), stored(g, ones(g), minus)]);
        for id in &self.system.zeros {
            let at = last(&given.bind, self.system.tensors[*id].bits());
            let claim = Claim { coefficient: one, tensor: *id, weights: vec![Factor::Eq(at.to_vec())] };
            self.add(&mut batch, vec![], vec![claim], vec![]);
        }
        for (place, (id, public)) in self.system.inputs.iter().chain(&self.system.outputs).zip(publics).enumerate() {
            let tensor = &self.system.tensors[*id];
            let packed = place < self.system.inputs.len() && tensor.is_packed();
            let (value, weights) = self.public_value(&tensor.shape, *public, packed, &given.bind);
            self.add(&mut batch, vec![(one, value)], vec![Claim { coefficient: one, tensor: *id, weights }], vec![]);
        }
        batch
    }

    fn fingerprints_of_lookups(&mut self, point: &[Reg], beta: Reg) -> (Reg, Vec<Claim>) {
        let (mut constant, mut claims) = (Vec::new(), Vec::new());
        for (lookup, place) in self.system.lookups.iter().zip(&self.layout.lookups) {
            let (prefix, own) = point.split_at(point.len() - place.bits);
            let mut coefficient = eq_index(&mut self.plan, prefix, place.start >> place.bits);
            constant.push((self.plan.integer(lookup.table as i64 + 1), coefficient));
            for column in &lookup.columns {
                coefficient = self.plan.mul(coefficient, beta);
                claims.push(Claim { coefficient, tensor: *column, weights: vec![Factor::Eq(own.to_vec())] });
            }
        }
        (self.plan.sum(&constant), claims)
    }

    fn fingerprints_of_tables(&mut self, point: &[Reg], beta: Reg) -> (Reg, Vec<Claim>) {
        let (mut constant, mut claims) = (Vec::new(), Vec::new());
        for (number, (table, place)) in self.system.tables.iter().zip(&self.layout.tables).enumerate() {
            let (prefix, own) = point.split_at(point.len() - place.bits);
            let mut coefficient = eq_index(&mut self.plan, prefix, place.start >> place.bits);
            constant.push((self.plan.integer(number as i64 + 1), coefficient));
            for column in &table.columns {
                coefficient = self.plan.mul(coefficient, beta);
                if let Column::Values(tensor) = column {
                    claims.push(Claim { coefficient, tensor: *tensor, weights: vec![Factor::Eq(own.to_vec())] });
                } else {
                    constant.push((coefficient, self.column(column, own)));
                }
            }
        }
        (self.plan.sum(&constant), claims)
    }

    /// As `Column::at`.
    fn column(&mut self, column: &Column, point: &[Reg]) -> Reg {
        match column {
            Column::Clip { start, low, high } => {
                let bound = |to: &i64| u64::try_from(to.saturating_sub(*start)).unwrap_or(0);
                let (up, down) = (ramp(&mut self.plan, point, bound(high)), ramp(&mut self.plan, point, bound(low)));
                let (one, minus) = (self.plan.integer(1), self.plan.integer(-1));
                let first = self.plan.integer(*start.clamp(low, high));
                self.plan.sum(&[(one, first), (one, up), (minus, down)])
            }
            Column::Below { count } => prefix(&mut self.plan, point, *count),
            Column::Values(_) => self.plan.integer(0),
        }
    }

    /// A public tensor's value at a point, over its valid positions only, and the weights of that claim.
    fn public_value(&mut self, shape: &[usize], (place, width): (Reg, usize), packed: bool, point: &[Reg]) -> (Reg, Vec<Factor>) {
        let mut rest = last(point, shape.iter().map(|size| bits(*size)).sum());
        let (mut axes, mut tables) = (Vec::new(), Vec::new());
        for (axis, size) in shape.iter().enumerate() {
            let (mut own, later) = rest.split_at(bits(*size));
            axes.push(if packed && axis + 1 == shape.len() {
                own = &own[..own.len() - PACKED_BITS];
                Factor::Packed(own.to_vec(), *size)
            } else {
                Factor::EqPrefix(own.to_vec(), *size)
            });
            tables.push((eq_table(&mut self.plan, own), *size));
            rest = later;
        }
        let one = self.plan.integer(1);
        let (inner, count) = tables.pop().unwrap_or((one, 1));
        let (mut outer, mut size) = (one, 1);
        for (table, own) in tables {
            outer = if size == 1 { table } else { self.plan.pure(Op::Outer, outer, table, own, size, size * own) };
            size *= own;
        }
        let width = if packed { 1 << PACKED_BITS } else { width }; // sixteen bytes are weighed as one integer
        let data = self.plan.data(&[width, count].map(exact::<4>).concat());
        self.plan.effect(Op::Copy, place, place, 1, 0, 1);
        (self.plan.effect(Op::PublicValue, outer, inner, size, data, 1), axes)
    }

    // ---- claims -------------------------------------------------------------------------------------------------------

    /// Adds the claim that `claims` and `stored` sum to `value`.
    fn add(&mut self, batch: &mut Batch, value: Vec<(Reg, Reg)>, claims: Vec<Claim>, stored: Vec<Stored>) {
        let power = batch.power;
        if !value.is_empty() {
            let value = self.plan.sum(&value);
            batch.value.push((power, value));
        }
        batch
            .claims
            .extend(claims.into_iter().map(|claim| Claim { coefficient: self.plan.mul(power, claim.coefficient), ..claim }));
        batch.stored.extend(stored.into_iter().map(|own| Stored { coefficient: self.plan.mul(power, own.coefficient), ..own }));
        batch.power = self.plan.mul(power, batch.step);
    }

    fn expand(&mut self, mut batch: Batch) -> (Reg, Vec<Stored>, Vec<Claim>) {
        let made = expand(&mut self.plan, self.system, batch.claims);
        for Claim { coefficient, tensor, weights } in made.stored {
            let place = self.layout.tensors[tensor].expect("what is stored has a place");
            batch.stored.push(Stored { coefficient, place, weights });
        }
        let (value, constant) = (self.plan.sum(&batch.value), self.plan.sum(&made.constant));
        (self.plan.add(value, -1, constant), batch.stored, made.products)
    }

    /// The sumcheck of products: values sent, each with the claims that it is the sum of.
    fn products(&mut self, products: &[Claim], value: Reg) -> Vec<(Reg, Vec<Claim>)> {
        let form = |claim: &Claim| match &self.system.tensors[claim.tensor].form {
            Form::Product(form) => (form.variables(), form.weighs()),
            Form::Conv(form) => (form.variables(), form.weighs()),
            _ => unreachable!("a product is one"),
        };
        let sizes: Vec<(usize, bool)> = products.iter().map(form).collect();
        let rounds = sizes.iter().map(|(variables, _)| *variables).max().unwrap_or(0);
        let degree = if sizes.iter().any(|(_, weighs)| *weighs) { 3 } else { 2 };
        let (point, claim) = self.rounds(value, rounds, degree);
        let sent = self.read("factors", 2 * products.len());
        let (mut expected, mut settled) = (Vec::new(), Vec::new());
        for ((product, (variables, _)), pair) in products.iter().zip(&sizes).zip(sent.chunks(2)) {
            let own = last(&point, *variables);
            let end: Settled = match &self.system.tensors[product.tensor].form {
                Form::Conv(form) => settle_conv(&mut self.plan, form, product, own, pair[0], pair[1]),
                Form::Product(form) => settle_product(&mut self.plan, form, product, own, pair[0], pair[1]),
                _ => unreachable!("a product is one"),
            };
            let before = eq_index(&mut self.plan, &point[..rounds - variables], 0);
            let counted = self.plan.mul(product.coefficient, before);
            expected.push((counted, end.value));
            settled.extend([(pair[0], end.left), (pair[1], end.right)]);
        }
        let expected = self.plan.sum(&expected);
        self.plan.effect(Op::Same, claim, expected, 0, PRODUCTS, 0);
        settled
    }

    /// The weights of all values at a point.
    fn weight_at(&mut self, stored: &[Stored], point: &[Reg]) -> Reg {
        let mut terms = Vec::new();
        for Stored { coefficient, place, weights } in stored {
            let (prefix, own) = point.split_at(point.len() - place.bits);
            let before = eq_index(&mut self.plan, prefix, place.start >> place.bits);
            let at = factor::at(&mut self.plan, weights, own);
            terms.push((*coefficient, self.plan.mul(before, at)));
        }
        self.plan.sum(&terms)
    }

    /// Rows folded at the high coordinates of a point, a run of one phase at a time, and opened at its low ones.
    fn opening<C: Commitment>(&mut self, key: &VerifierKey<C>, point: &[Reg], end: Reg, witness: Reg, helpers: Reg) {
        let (high, low) = point.split_at(point.len() - self.layout.row_bits);
        let weights = eq_table(&mut self.plan, high);
        let (rows, zero) = (&self.layout.rows, self.plan.integer(0));
        let own: Vec<u8> = key.rows.iter().flat_map(|row| C::words(row).concat()).collect();
        let of_key = self.plan.data(&own);
        let (mut from, mut taken) = (0, [0; 3]);
        while from < rows.len() {
            let count = rows[from..].iter().take_while(|phase| **phase == rows[from]).count();
            let (place, base, offset) = match rows[from] {
                Phase::Key => (0, zero, of_key),
                Phase::Witness => (1, witness, 0),
                Phase::Helper => (2, helpers, 0),
            };
            self.plan.effect(Op::Fold, weights.plus(from), base, count, offset + 64 * taken[place], 0);
            taken[place] += count;
            from += count;
        }
        let low = self.plan.range(low);
        self.plan.words.1 += C::opening_words_count(self.layout.row_bits);
        self.plan.effect(Op::Opening, low, end, self.layout.row_bits, 0, 0);
    }
}

fn last(point: &[Reg], count: usize) -> &[Reg] {
    &point[point.len() - count..]
}

fn bind_bits(system: &System) -> usize {
    let ids = system.zeros.iter().chain(&system.inputs).chain(&system.outputs);
    ids.map(|id| system.tensors[*id].bits()).max().unwrap_or(0)
}
