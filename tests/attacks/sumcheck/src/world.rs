// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs of a line or two, and digits-cnn, with their keys; and provers who believe what they like.

use crate::forgery::Shown;
use commitment::{Kzg, ProverKey as Committer, Srs, VerifierKey as Reference};
use compiler::{Layout, ProverKey, VerifierKey};
use program::Program;
use protocol::forge::{Says, TRUTH, on_cubes, prove_cubes, run};
use protocol::{Statement, UNTOLD, verify};
use relation::{Form as Defined, TensorId};
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock};
use sumcheck::Fault;
use sumcheck::channel::Word;
use transcript::Transcript;

static SRS: LazyLock<Srs> = LazyLock::new(|| Srs::unsafe_from_seed(14, b"tests").expect("a string"));
/// Of another secret.
pub static OTHER_SRS: LazyLock<Srs> = LazyLock::new(|| Srs::unsafe_from_seed(10, b"others").expect("a string"));

/// A program's text, an operator after the other.
pub struct Text {
    name: [u8; 32],
    srs: &'static Srs,
    outputs: Vec<usize>,
    inputs: Vec<Value>,
    operators: Vec<Value>,
    arrays: Vec<Array>,
}

/// multiplier, offset, shift, low, high.
pub type Form<'a> = (&'a [i64], &'a [i64], u32, i64, i64);

/// Name, shape, integers.
type Array = (String, Vec<usize>, Vec<i64>);

impl Default for Text {
    fn default() -> Self {
        let (inputs, operators, outputs, arrays) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { name: [7; 32], srs: &SRS, outputs, inputs, operators, arrays }
    }
}

impl Text {
    /// Four bytes times two rows of weights: 1, 2, 3, 4 give 30 and 70.
    pub fn dense() -> Self {
        Self::default().input(&[1, 4], [0, 255]).constant(&[2, 4], &[1, 2, 3, 4, 5, 6, 7, 8]).then(
            "matmul",
            &["trace 0", "constant 0"],
            json!({"x_zero": 0, "w_zero": 0}),
            &[1, 2],
            None,
        )
    }

    /// A program's id, which a key says.
    pub fn named(mut self, name: [u8; 32]) -> Self {
        self.name = name;
        self
    }

    /// A reference string other than that of most programs.
    pub fn under(mut self, srs: &'static Srs) -> Self {
        self.srs = srs;
        self
    }

    /// A tensor from outside.
    pub fn input(mut self, shape: &[usize], interval: [i64; 2]) -> Self {
        self.inputs.push(json!({"shape": shape, "interval": interval}));
        self
    }

    /// Integers of the program.
    pub fn constant(mut self, shape: &[usize], values: &[i64]) -> Self {
        let count = self.arrays.iter().filter(|(name, ..)| name.starts_with("constant.")).count();
        self.arrays.push((format!("constant.{count}"), shape.to_vec(), values.to_vec()));
        self
    }

    /// Operands as the file names them: "trace 0", "constant 1".
    pub fn then(mut self, kind: &str, operands: &[&str], attributes: Value, shape: &[usize], form: Option<Form>) -> Self {
        let index = self.operators.len();
        let requantise = form.map(|(multiplier, offset, shift, low, high)| {
            self.arrays.push((format!("multiplier.{index}"), vec![multiplier.len()], multiplier.to_vec()));
            self.arrays.push((format!("offset.{index}"), vec![offset.len()], offset.to_vec()));
            json!({"shift": shift, "low": low, "high": high})
        });
        self.operators.push(json!({
            "kind": kind, "label": kind, "operands": operands, "attributes": attributes, "requantise": requantise,
            "output": {"shape": shape, "interval": [0, 0]},
        }));
        self
    }

    /// What is claimed, by places in the trace; if this is not said, what the last operator gives.
    pub fn outputs(mut self, places: &[usize]) -> Self {
        self.outputs = places.to_vec();
        self
    }

    /// The program with its keys, for so many inputs at once.
    pub fn world(self, batch: usize) -> World {
        let last = [self.inputs.len() + self.operators.len() - 1];
        let outputs: Vec<Value> =
            if self.outputs.is_empty() { &last[..] } else { &self.outputs }.iter().map(|place| json!({"index": place})).collect();
        let graph = json!({"inputs": self.inputs, "operators": self.operators, "outputs": outputs});
        let program = Program::read(graph.to_string().as_bytes(), &safetensors(&self.arrays)).expect("a program");
        World::new(&program, self.name, batch, self.srs)
    }
}

fn safetensors(arrays: &[Array]) -> Vec<u8> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for (name, shape, values) in arrays {
        let start = data.len();
        values.iter().for_each(|value| data.extend(value.to_le_bytes()));
        header.insert(name.clone(), json!({"dtype": "I64", "shape": shape, "data_offsets": [start, data.len()]}));
    }
    let header = Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
}

/// A program's keys.
pub struct World {
    /// The prover's, and the verifier's in it.
    pub key: ProverKey<Kzg>,
    /// What the prover commits by.
    pub committer: Committer,
    /// What an opening is checked by.
    pub reference: Reference,
    srs: &'static Srs,
}

/// Every tensor's integers.
pub type Cubes = Vec<Arc<Vec<i64>>>;

/// Of every statement here.
pub const CONTEXT: [u8; 32] = [3; 32];

impl World {
    fn new(program: &Program, name: [u8; 32], batch: usize, srs: &'static Srs) -> Self {
        let made = compiler::setup::<Kzg>(program, name, batch, srs.id(), |n| srs.prover_key(n as u32));
        let (key, committer) = made.expect("keys");
        Self { key, committer, reference: srs.verifier_key(), srs }
    }

    /// digits-cnn (rearrange, conv, max, rearrange, matmul), and one of its inputs.
    pub fn digits() -> (Self, Vec<Vec<i64>>) {
        let (graph, weights) =
            (include_bytes!("../fixtures/digits-cnn/program.json"), include_bytes!("../fixtures/digits-cnn/weights.safetensors"));
        let inputs = serde_json::from_slice(include_bytes!("../fixtures/digits-cnn/inputs.json")).expect("inputs");
        (Self::new(&Program::read(graph, weights).expect("a program"), [7; 32], 1, &SRS), inputs)
    }

    /// The same program under a key whose first table is the first one of so many columns.
    pub fn led_by_a_table_of(mut self, columns: usize) -> Self {
        let system = &mut self.key.system;
        let first = system.tables.iter().position(|table| table.columns.len() == columns).expect("a table");
        system.tables.swap(0, first);
        for lookup in &mut system.lookups {
            lookup.table = if lookup.table == first {
                0
            } else if lookup.table == 0 {
                first
            } else {
                lookup.table
            };
        }
        self.key.verifier.layout = Layout::new(system).expect("a layout");
        self.key.verifier.system = system.clone();
        self.key.verifier = self.key_again();
        self
    }

    /// What a verifier pins.
    pub fn key_bytes(&self) -> Vec<u8> {
        self.key.verifier.to_bytes().expect("bytes")
    }

    /// The secret in the second group.
    pub fn reference_words(&self) -> [Word; 4] {
        self.srs.tau_words()
    }

    /// What an honest prover shows.
    pub fn honest(&self, inputs: &[Vec<i64>]) -> Shown {
        let (statement, words) = protocol::prove(&self.key, &self.committer, CONTEXT, inputs.to_vec(), UNTOLD).expect("a proof");
        Shown { statement, words }
    }

    /// Every tensor's cube, as an honest prover has it.
    pub fn cubes(&self, inputs: &[Vec<i64>]) -> Cubes {
        run(&self.key.system, inputs).expect("inputs that fit")
    }

    /// The same with a liar in between: see `System::values_with`.
    pub fn cubes_of_liar(&self, inputs: &[Vec<i64>], liar: impl FnMut(TensorId, &mut Vec<i64>)) -> Cubes {
        self.key.system.values_with(&on_cubes(&self.key.system, inputs).expect("inputs that fit"), liar)
    }

    /// Claims these outputs, proved by one who believes these cubes.
    pub fn believing(&self, inputs: &[Vec<i64>], outputs: &[i64], cubes: &Cubes) -> Shown {
        self.saying(inputs, outputs, cubes, &TRUTH)
    }

    /// The same of one who does not say what he believes.
    pub fn saying(&self, inputs: &[Vec<i64>], outputs: &[i64], cubes: &Cubes, says: &Says) -> Shown {
        let statement = Statement { context: CONTEXT, inputs: inputs.to_vec(), outputs: vec![outputs.to_vec()] };
        self.stating(statement, cubes, says)
    }

    /// The same of any statement.
    pub fn stating(&self, statement: Statement, cubes: &Cubes, says: &Says) -> Shown {
        let words = prove_cubes(&self.key, &self.committer, &statement, cubes, says, UNTOLD).expect("a proof");
        Shown { statement, words }
    }

    /// The verdict.
    pub fn verify(&self, shown: &Shown) -> Result<Transcript, Fault> {
        verify(&self.key.verifier, &self.reference, &shown.statement, &shown.words)
    }

    /// The verifier's key once more: one that a test may change.
    pub fn key_again(&self) -> VerifierKey<Kzg> {
        VerifierKey::from_bytes(&self.key_bytes()).expect("a key")
    }

    /// Committed tensors that are no inputs: what a prover may choose.
    pub fn hints(&self) -> Vec<TensorId> {
        let (system, committed) = (&self.key.system, |form: &Defined| matches!(form, Defined::Committed { .. }));
        (0..system.tensors.len()).filter(|id| committed(&system.tensors[*id].form) && !system.inputs.contains(id)).collect()
    }
}

/// Changes one entry, and with it nothing else.
pub fn with(cubes: &Cubes, tensor: TensorId, entry: usize, value: i64) -> Cubes {
    let mut changed = cubes.clone();
    Arc::make_mut(&mut changed[tensor])[entry] = value;
    changed
}
