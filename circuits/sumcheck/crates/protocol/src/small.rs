// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs of a line or two, for tests, with their keys; and provers who believe what they like.

use crate::prove::{Says, TRUTH, UNTOLD, on_cubes, prove_cubes, run};
use crate::statement::Statement;
use crate::verify::verify;
use commitment::{Kzg, ProverKey as Committer, Srs, VerifierKey as Reference};
use compiler::ProverKey;
use program::Program;
use relation::TensorId;
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock};
use sumcheck::Fault;
use sumcheck::channel::Word;
use transcript::Transcript;

static SRS: LazyLock<Srs> = LazyLock::new(|| Srs::unsafe_from_seed(14, b"tests").expect("a string"));

/// A program's text, an operator after the other.
#[derive(Default)]
pub(crate) struct Text {
    inputs: Vec<Value>,
    operators: Vec<Value>,
    arrays: Vec<(String, Vec<usize>, Vec<i64>)>,
}

/// multiplier, offset, shift, low, high.
pub(crate) type Form<'a> = (&'a [i64], &'a [i64], u32, i64, i64);

impl Text {
    pub fn input(mut self, shape: &[usize], interval: [i64; 2]) -> Self {
        self.inputs.push(json!({"shape": shape, "interval": interval}));
        self
    }

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

    /// The world of a program whose outputs are the last operator's.
    pub fn world(self, batch: usize) -> World {
        let outputs = json!([{"index": self.inputs.len() + self.operators.len() - 1}]);
        let graph = json!({"inputs": self.inputs, "operators": self.operators, "outputs": outputs});
        let program = Program::read(graph.to_string().as_bytes(), &safetensors(&self.arrays)).expect("a program");
        let (key, committer) =
            compiler::setup::<Kzg>(&program, [7; 32], batch, [9; 32], |n| SRS.prover_key(n as u32)).expect("keys");
        World { key, committer, reference: SRS.verifier_key() }
    }
}

fn safetensors(arrays: &[(String, Vec<usize>, Vec<i64>)]) -> Vec<u8> {
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
pub(crate) struct World {
    pub key: ProverKey<Kzg>,
    committer: Committer,
    reference: Reference,
}

pub(crate) type Cubes = Vec<Arc<Vec<i64>>>;

impl World {
    /// Every tensor's cube, as an honest prover has it.
    pub fn cubes(&self, inputs: &[Vec<i64>]) -> Cubes {
        run(&self.key.system, inputs).expect("inputs that fit")
    }

    /// The same with a liar in between: see `System::values_with`.
    pub fn cubes_of_liar(&self, inputs: &[Vec<i64>], liar: impl FnMut(TensorId, &mut Vec<i64>)) -> Cubes {
        self.key.system.values_with(&on_cubes(&self.key.system, inputs).expect("inputs that fit"), liar)
    }

    /// The verdict on the proof of an honest prover.
    pub fn honest(&self, inputs: &[Vec<i64>], outputs: &[i64]) -> Result<(), Fault> {
        self.believing(inputs, outputs, &self.cubes(inputs))
    }

    /// The verdict on the proof of one who believes these cubes.
    pub fn believing(&self, inputs: &[Vec<i64>], outputs: &[i64], cubes: &Cubes) -> Result<(), Fault> {
        self.saying(inputs, outputs, cubes, &TRUTH)
    }

    /// The same of one who does not say what he believes.
    pub fn saying(&self, inputs: &[Vec<i64>], outputs: &[i64], cubes: &Cubes, says: &Says) -> Result<(), Fault> {
        let (statement, words) = self.words(inputs, outputs, cubes, says);
        self.verify(&statement, &words).map(|_| ())
    }

    pub fn words(&self, inputs: &[Vec<i64>], outputs: &[i64], cubes: &Cubes, says: &Says) -> (Statement, Vec<Word>) {
        let statement = Statement { context: [3; 32], inputs: inputs.to_vec(), outputs: vec![outputs.to_vec()] };
        let words = prove_cubes(&self.key, &self.committer, &statement, cubes, says, UNTOLD).expect("a proof");
        (statement, words)
    }

    pub fn verify(&self, statement: &Statement, words: &[Word]) -> Result<Transcript, Fault> {
        verify(&self.key.verifier, &self.reference, statement, words)
    }
}
