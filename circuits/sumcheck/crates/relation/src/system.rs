// SPDX-License-Identifier: MIT OR Apache-2.0
//! The system: tensors in order, each defined by lower ones or committed, and what must hold of them.

use crate::bits;
use crate::conv::Conv;
use crate::linear::{Linear, LinearTerm, PIECE};
use crate::product::Product;
use crate::table::{Column, Table};
use crate::weights::PACKED_BITS;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// A tensor's place in its system.
pub type TensorId = usize;

/// Integers on a cube.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tensor {
    /// Length of each axis, before it is padded.
    pub shape: Vec<usize>,
    /// The least value, padding included.
    pub low: i64,
    /// The greatest.
    pub high: i64,
    /// What it is.
    pub form: Form,
}

/// What a tensor is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// The prover's, `base` subtracted: at most 16 bits, which nothing but constraints assures.
    Committed {
        /// Added to what is committed, everywhere.
        base: i64,
    },
    /// The key's.
    Constant,
    /// What a prover was given; no claim is about it.
    Given,
    /// Linear in lower ones.
    Linear(Linear),
    /// A sum of products of two lower ones.
    Product(Product),
    /// A convolution with constants.
    Conv(Conv),
}

impl Tensor {
    /// log2 of its cube.
    pub fn bits(&self) -> usize {
        self.shape.iter().map(|size| bits(*size)).sum()
    }

    /// Whether it holds bytes, and enough neighbours for sixteen to be read as one integer. Rule 68.
    pub fn is_packed(&self) -> bool {
        self.low >= 0 && self.high < 256 && self.shape.last().is_some_and(|size| *size >= 1 << PACKED_BITS)
    }

    /// Whether claims on it need a sumcheck of their own.
    pub fn is_product(&self) -> bool {
        matches!(self.form, Form::Product(_) | Form::Conv(_))
    }
}

/// The entries of these tensors, all of one cube, are an entry of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// Its place in the list of tables.
    pub table: usize,
    /// One for each column.
    pub columns: Vec<TensorId>,
}

/// How the prover finds a committed tensor's values from those of lower tensors.
#[derive(Clone)]
pub struct Recipe {
    /// What it reads.
    pub operands: Vec<TensorId>,
    /// From the operands' cubes to its own.
    pub compute: Arc<Compute>,
}

/// See `Recipe`.
pub type Compute = dyn Fn(&[&[i64]]) -> Vec<i64> + Send + Sync;

impl Recipe {
    /// Entry by entry.
    pub fn pointwise(operands: Vec<TensorId>, compute: impl Fn(&[i64]) -> i64 + Send + Sync + 'static) -> Self {
        let over = move |cubes: &[&[i64]]| {
            let entry = |i: usize| compute(&cubes.iter().map(|cube| cube[i]).collect::<Vec<_>>());
            (0..cubes.first().map_or(0, |cube| cube.len())).into_par_iter().with_min_len(PIECE).map(entry).collect()
        };
        Self { operands, compute: Arc::new(over) }
    }

    /// Entry by entry, from one tensor.
    pub fn map(operand: TensorId, compute: impl Fn(i64) -> i64 + Send + Sync + 'static) -> Self {
        let over = move |cubes: &[&[i64]]| cubes[0].par_iter().with_min_len(PIECE).map(|v| compute(*v)).collect();
        Self { operands: vec![operand], compute: Arc::new(over) }
    }
}

/// Built by gadgets, lowest tensor first. What only the prover needs is not in its serialised form.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct System {
    /// In order.
    pub tensors: Vec<Tensor>,
    /// Without repetition.
    pub tables: Vec<Table>,
    /// In order.
    pub lookups: Vec<Lookup>,
    /// Tensors that are zero everywhere.
    pub zeros: Vec<TensorId>,
    /// The program's inputs, committed.
    pub inputs: Vec<TensorId>,
    /// The program's outputs.
    pub outputs: Vec<TensorId>,
    /// Of constants.
    #[serde(skip)]
    pub constants: HashMap<TensorId, Arc<Vec<i64>>>,
    #[serde(skip)]
    recipes: HashMap<TensorId, Recipe>,
    #[serde(skip)]
    committed_as: HashMap<TensorId, TensorId>,
    /// The keys that the table of these bounds is needed for; it has as many as fill a power of two.
    #[serde(skip)]
    clipped: HashMap<(i64, i64), (i64, i64)>,
}

impl System {
    fn push(&mut self, shape: &[usize], (low, high): (i64, i64), form: Form) -> TensorId {
        self.tensors.push(Tensor { shape: shape.to_vec(), low, high, form });
        self.tensors.len() - 1
    }

    /// A tensor from outside, as the prover has it: what is claimed of the input is claimed of a committed tensor that copies it.
    pub fn given(&mut self, shape: &[usize], ends: (i64, i64)) -> TensorId {
        self.push(shape, ends, Form::Given)
    }

    /// A committed tensor. Nothing is assured of it yet. Wider than 16 bits it is several, and their weighted sum.
    pub fn commit(&mut self, shape: &[usize], (low, high): (i64, i64), recipe: Recipe) -> TensorId {
        self.commit_limbs(shape, (low, high), recipe).0
    }

    /// The same, and its limbs of 16 bits, the lowest first. The highest has as many bits as the interval needs.
    pub fn commit_limbs(&mut self, shape: &[usize], (low, high): (i64, i64), recipe: Recipe) -> (TensorId, Vec<(TensorId, u32)>) {
        let width = 64 - ((high - low) as u64).leading_zeros();
        if width <= 16 {
            let id = self.push(shape, (low, high), Form::Committed { base: low });
            self.recipes.insert(id, recipe);
            return (id, vec![(id, width)]);
        }
        let limbs: Vec<(TensorId, u32)> = (0..width.div_ceil(16))
            .map(|place| {
                let (compute, own) = (recipe.compute.clone(), (width - 16 * place).min(16));
                let limb = move |cubes: &[&[i64]]| compute(cubes).iter().map(|v| (v - low) >> (16 * place) & 0xffff).collect();
                let id = self.push(shape, (0, (1 << own) - 1), Form::Committed { base: 0 });
                self.recipes.insert(id, Recipe { operands: recipe.operands.clone(), compute: Arc::new(limb) });
                (id, own)
            })
            .collect();
        let cube = self.tensors[limbs[0].0].bits();
        let terms = limbs.iter().enumerate().map(|(place, (id, _))| LinearTerm::same(1 << (16 * place), *id, cube)).collect();
        (self.linear(shape, (low, high), Linear { terms, offset: low, shift: 0 }), limbs)
    }

    /// Committed integers of [0, 2^bits), exactly.
    pub fn commit_range(&mut self, shape: &[usize], bits: u32, recipe: Recipe) -> TensorId {
        let (id, limbs) = self.commit_limbs(shape, (0, ((1i128 << bits) - 1) as i64), recipe);
        for (limb, width) in limbs {
            self.lookup(Table::range(0, (1 << width) - 1), vec![limb]);
        }
        id
    }

    /// Committed integers of at least 0 that may reach `most`, and no more than the next multiple of 8 or 16 bits: where only the sign
    /// matters, all share two tables.
    pub fn commit_natural(&mut self, shape: &[usize], most: i64, recipe: Recipe) -> TensorId {
        let width = 64 - (most.max(1) as u64).leading_zeros();
        let id = self.commit_range(shape, if width <= 8 { 8 } else { width.next_multiple_of(16).min(62) }, recipe);
        self.tensors[id].high = most.max(1); // of an honest prover; of others no bound but the table's is relied on
        id
    }

    /// A constant on its padded cube.
    pub fn constant(&mut self, shape: &[usize], values: Vec<i64>) -> TensorId {
        let ends = (values.iter().copied().min().unwrap_or(0), values.iter().copied().max().unwrap_or(0));
        let id = self.push(shape, ends, Form::Constant);
        self.constants.insert(id, Arc::new(values));
        id
    }

    /// A tensor that is linear in lower ones.
    pub fn linear(&mut self, shape: &[usize], ends: (i64, i64), linear: Linear) -> TensorId {
        self.push(shape, ends, Form::Linear(linear))
    }

    /// A sum of products. Its operands must be `flat`.
    pub fn product(&mut self, shape: &[usize], ends: (i64, i64), product: Product) -> TensorId {
        self.push(shape, ends, Form::Product(product))
    }

    /// A convolution. Its source must be `flat`.
    pub fn conv(&mut self, shape: &[usize], ends: (i64, i64), conv: Conv) -> TensorId {
        self.push(shape, ends, Form::Conv(conv))
    }

    /// Demands that the entries of `columns` are entries of `table`.
    pub fn lookup(&mut self, table: Table, columns: Vec<TensorId>) {
        let known = self.tables.iter().position(|other| *other == table);
        let table = known.unwrap_or_else(|| {
            self.tables.push(table);
            self.tables.len() - 1
        });
        self.lookups.push(Lookup { table, columns });
    }

    /// Demands that x is a key of a table that clips to [low, high], and y its value; one table serves all of these bounds.
    pub fn lookup_clipped(&mut self, (x, y): (TensorId, TensorId), low: i64, high: i64) {
        let (start, end) = self.clipped_with(x, low, high);
        self.clipped.insert((low, high), (start, end));
        let size = bits((end - start + 1) as usize);
        let keys = Column::Clip { start, low: start, high: start + (1 << size) - 1 };
        let table = Table { bits: size, columns: vec![keys, Column::Clip { start, low, high }] };
        match self.clip_table(low, high) {
            Some(place) => {
                self.tables[place] = table;
                self.lookups.push(Lookup { table: place, columns: vec![x, y] });
            }
            None => self.lookup(table, vec![x, y]),
        }
    }

    /// Whether the table that clips to [low, high] would have all keys of x without being longer than it is.
    pub fn has_clipped(&self, x: TensorId, low: i64, high: i64) -> bool {
        let (start, end) = self.clipped_with(x, low, high);
        self.clip_table(low, high).is_some_and(|place| bits((end - start + 1) as usize) <= self.tables[place].bits)
    }

    /// The ends of the keys that are needed: those of x, and of what was looked up before.
    fn clipped_with(&self, x: TensorId, low: i64, high: i64) -> (i64, i64) {
        let (from, to) = (self.tensors[x].low.min(0), self.tensors[x].high.max(0));
        let (start, end) = self.clipped.get(&(low, high)).copied().unwrap_or((from, to));
        (from.min(start), to.max(end))
    }

    fn clip_table(&self, low: i64, high: i64) -> Option<usize> {
        let serves =
            |table: &Table| matches!(table.columns[..], [_, Column::Clip { low: l, high: h, .. }] if l == low && h == high);
        self.tables.iter().position(serves)
    }

    /// Demands that a tensor is zero everywhere.
    pub fn zero(&mut self, tensor: TensorId) {
        self.zeros.push(tensor);
    }

    /// Whether claims on it end at commitments without a further sumcheck.
    pub fn is_flat(&self, id: TensorId) -> bool {
        match &self.tensors[id].form {
            Form::Committed { .. } | Form::Constant => true,
            Form::Linear(linear) => linear.terms.iter().all(|term| self.is_flat(term.source)),
            Form::Product(_) | Form::Conv(_) | Form::Given => false,
        }
    }

    /// The tensor itself if it is flat, else its values committed, and the difference zero.
    pub fn flat(&mut self, id: TensorId) -> TensorId {
        if self.is_flat(id) { id } else { self.copied(id) }
    }

    /// Its values committed, and the difference zero.
    pub fn copied(&mut self, id: TensorId) -> TensorId {
        if let Some(copy) = self.committed_as.get(&id) {
            return *copy;
        }
        let (shape, cube) = (self.tensors[id].shape.clone(), self.tensors[id].bits());
        let copy = self.commit(&shape, (self.tensors[id].low, self.tensors[id].high), Recipe::map(id, |value| value));
        let terms = vec![LinearTerm::same(1, id, cube), LinearTerm::same(-1, copy, cube)];
        let difference = self.linear(&shape, (0, 0), Linear { terms, offset: 0, shift: 0 });
        self.zero(difference);
        self.committed_as.insert(id, copy);
        copy
    }

    /// Every tensor's cube, from the inputs' cubes; a prover's.
    pub fn values(&self, inputs: &[Vec<i64>]) -> Vec<Arc<Vec<i64>>> {
        self.values_with(inputs, |_, _| {})
    }

    /// The same with a liar in between, who changes a committed tensor before others read it.
    pub fn values_with(&self, inputs: &[Vec<i64>], mut liar: impl FnMut(TensorId, &mut Vec<i64>)) -> Vec<Arc<Vec<i64>>> {
        let mut cubes: Vec<Arc<Vec<i64>>> = Vec::with_capacity(self.tensors.len());
        let mut given = inputs.iter();
        for (id, tensor) in self.tensors.iter().enumerate() {
            let read = |id: TensorId| cubes[id].as_slice();
            let values = match &tensor.form {
                Form::Constant => self.constants[&id].clone(),
                Form::Given => Arc::new(given.next().cloned().unwrap_or_default()),
                Form::Linear(linear) => Arc::new(linear.values(tensor.bits(), read)),
                Form::Product(product) => Arc::new(product.values(read)),
                Form::Conv(conv) => Arc::new(conv.values(read)),
                Form::Committed { .. } => {
                    let recipe = &self.recipes[&id];
                    let mut values = (recipe.compute)(&recipe.operands.iter().map(|id| read(*id)).collect::<Vec<_>>());
                    liar(id, &mut values);
                    Arc::new(values)
                }
            };
            cubes.push(values);
        }
        cubes
    }
}

impl System {
    /// Whether a stranger's system refers only to what it has, downward, and stays below sizes that nobody can hold.
    pub fn is_well_formed(&self) -> bool {
        let count = self.tensors.len();
        let sane = |tensor: &Tensor| {
            let sizes = tensor.shape.iter().all(|size| (1..=1 << 40).contains(size)) && tensor.shape.len() <= 32;
            sizes && tensor.bits() <= 40
        };
        let exists = |ids: &[TensorId]| ids.iter().all(|id| *id < count);
        let cube = |id: &TensorId| self.tensors.get(*id).map(Tensor::bits);
        let column = |bits: usize, column: &Column| match column {
            Column::Values(id) => cube(id) == Some(bits),
            Column::Clip { low, high, .. } => low <= high,
            Column::Below { .. } => true,
        };
        let table = |table: &Table| table.bits <= 40 && table.columns.iter().all(|own| column(table.bits, own));
        let lookup = |lookup: &Lookup| {
            let same = lookup.columns.windows(2).all(|pair| cube(&pair[0]) == cube(&pair[1]));
            let columns = self.tables.get(lookup.table).map(|table| table.columns.len());
            same && exists(&lookup.columns) && columns == Some(lookup.columns.len()) && !lookup.columns.is_empty()
        };
        let defined = |(id, tensor): (usize, &Tensor)| sane(tensor) && tensor.form.fits(id, tensor.bits(), &|id| cube(&id));
        self.tensors.iter().all(sane)
            && self.tensors.iter().enumerate().all(defined)
            && self.tables.iter().all(table)
            && self.lookups.iter().all(lookup)
            && exists(&self.zeros)
            && exists(&self.inputs)
            && exists(&self.outputs)
    }
}

impl Form {
    /// Whether a tensor of that number and size can be this, given the sizes of others.
    fn fits(&self, id: TensorId, own: usize, cube: &dyn Fn(TensorId) -> Option<usize>) -> bool {
        let below = |source: TensorId, bits: usize| source < id && cube(source) == Some(bits);
        match self {
            Form::Committed { .. } | Form::Constant | Form::Given => true,
            Form::Linear(linear) => linear.terms.iter().all(|term| term.fits(own, &below)) && linear.shift < 64,
            Form::Product(product) => product.fits(own, &below),
            Form::Conv(conv) => conv.fits(own, &below),
        }
    }
}
