// SPDX-License-Identifier: MIT OR Apache-2.0
//! A saved program: `program.json` and `weights.safetensors`, as verifiable_ml/program/files.py writes them.
//!
//! In: bytes that Python has loaded, so proved to be in bounds. Out: `Program`. Knows no proof. A prover's and a key maker's reader:
//! it says what it does not understand, and proves nothing of its own.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod tensors;

use serde_json::Value;
use std::collections::HashMap;

/// Bytes that are no program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

/// A shape and an interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Least and greatest, both included.
    pub interval: (i64, i64),
}

/// A constant, in C order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The integers.
    pub values: Vec<i64>,
}

/// What an operator reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A tensor of the trace: inputs first, then each operator's output.
    Trace(usize),
    /// A constant of the program.
    Constant(usize),
}

/// y = clip((acc * multiplier + offset) >> shift, low, high).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requantise {
    /// One, or one a channel.
    pub multiplier: Vec<i64>,
    /// As many.
    pub offset: Vec<i64>,
    /// Arithmetic, so it floors.
    pub shift: u32,
    /// The least result.
    pub low: i64,
    /// The greatest.
    pub high: i64,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Operator {
    /// A file of verifiable_ml/program/ops.
    pub kind: String,
    /// Where it came from.
    pub label: String,
    /// In order.
    pub operands: Vec<Source>,
    /// None: raw.
    pub requantise: Option<Requantise>,
    /// Its result.
    pub output: Spec,
    attributes: Value,
}

/// Operators in topological order over integer tensors.
#[derive(Clone, Debug)]
pub struct Program {
    /// Tensors from outside.
    pub inputs: Vec<Spec>,
    /// Weights, tables.
    pub constants: Vec<Constant>,
    /// In order.
    pub operators: Vec<Operator>,
    /// Trace indices of what is claimed.
    pub outputs: Vec<usize>,
}

impl Operator {
    /// An attribute that is an integer.
    pub fn integer(&self, name: &str) -> Result<i64, Malformed> {
        self.attributes[name].as_i64().ok_or_else(|| missing(name))
    }

    /// An attribute that is a list of integers.
    pub fn integers(&self, name: &str) -> Result<Vec<i64>, Malformed> {
        integers(&self.attributes[name]).ok_or_else(|| missing(name))
    }

    /// The same, of lengths.
    pub fn sizes(&self, name: &str) -> Result<Vec<usize>, Malformed> {
        sizes(&self.attributes[name]).ok_or_else(|| missing(name))
    }

    /// An attribute that is a list of lists.
    pub fn nested(&self, name: &str) -> Result<Vec<Vec<i64>>, Malformed> {
        let rows = self.attributes[name].as_array().ok_or_else(|| missing(name))?;
        rows.iter().map(|row| integers(row).ok_or_else(|| missing(name))).collect()
    }
}

impl Program {
    /// Reads both files.
    pub fn read(graph: &[u8], weights: &[u8]) -> Result<Self, Malformed> {
        let graph: Value = serde_json::from_slice(graph).map_err(|error| Malformed(error.to_string()))?;
        let mut arrays = tensors::read(weights)?;
        let count = arrays.keys().filter(|name| name.starts_with("constant.")).count();
        let constants = (0..count).map(|i| take(&mut arrays, &format!("constant.{i}"))).collect::<Result<_, _>>()?;
        let listed = |name: &str| graph[name].as_array().ok_or_else(|| missing(name));
        let operators = listed("operators")?
            .iter()
            .enumerate()
            .map(|(i, value)| operator(value, i, &mut arrays))
            .collect::<Result<_, _>>()?;
        let index = |value: &Value| value["index"].as_u64().map(|index| index as usize).ok_or_else(|| missing("index"));
        Ok(Self {
            inputs: listed("inputs")?.iter().map(spec).collect::<Result<_, _>>()?,
            constants,
            operators,
            outputs: listed("outputs")?.iter().map(index).collect::<Result<_, _>>()?,
        })
    }
}

fn operator(value: &Value, index: usize, arrays: &mut HashMap<String, Constant>) -> Result<Operator, Malformed> {
    let text = |name: &str| value[name].as_str().map(str::to_owned).ok_or_else(|| missing(name));
    let operands = value["operands"].as_array().ok_or_else(|| missing("operands"))?;
    let form = &value["requantise"];
    let requantise = if form.is_null() {
        None
    } else {
        let integer = |name: &str| form[name].as_i64().ok_or_else(|| missing(name));
        Some(Requantise {
            multiplier: take(arrays, &format!("multiplier.{index}"))?.values,
            offset: take(arrays, &format!("offset.{index}"))?.values,
            shift: integer("shift")? as u32,
            low: integer("low")?,
            high: integer("high")?,
        })
    };
    Ok(Operator {
        kind: text("kind")?,
        label: text("label")?,
        operands: operands.iter().map(source).collect::<Result<_, _>>()?,
        requantise,
        output: spec(&value["output"])?,
        attributes: value["attributes"].clone(),
    })
}

fn source(value: &Value) -> Result<Source, Malformed> {
    let (kind, index) = value.as_str().and_then(|text| text.split_once(' ')).ok_or_else(|| missing("operand"))?;
    let index = index.parse().map_err(|_| missing("operand"))?;
    Ok(if kind == "constant" { Source::Constant(index) } else { Source::Trace(index) })
}

fn spec(value: &Value) -> Result<Spec, Malformed> {
    let shape = sizes(&value["shape"]).ok_or_else(|| missing("shape"))?;
    match integers(&value["interval"]).as_deref() {
        Some([low, high]) => Ok(Spec { shape, interval: (*low, *high) }),
        _ => Err(missing("interval")),
    }
}

fn integers(value: &Value) -> Option<Vec<i64>> {
    value.as_array()?.iter().map(Value::as_i64).collect()
}

fn sizes(value: &Value) -> Option<Vec<usize>> {
    integers(value)?.into_iter().map(|size| usize::try_from(size).ok()).collect()
}

fn take(arrays: &mut HashMap<String, Constant>, name: &str) -> Result<Constant, Malformed> {
    arrays.remove(name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Malformed {
    Malformed(format!("`{name}` is missing, or not what it should be"))
}
