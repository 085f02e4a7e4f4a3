// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a program to its system, an operator at a time.

use crate::GADGETS;
use crate::requantise::committed_within;
use program::{Malformed, Operator, Program, Source};
use relation::{Recipe, System, TensorId, bits};

/// Why a program cannot be proved here: which operator, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its label, or its kind.
    pub operator: String,
    /// In words.
    pub reason: String,
}

/// Adds an operator's tensors and constraints; returns the tensor that is its output.
pub(crate) type Gadget = fn(&mut Lowering, &Operator) -> Result<TensorId, Failure>;

/// In words.
pub(crate) struct Failure(pub String);

impl From<Malformed> for Failure {
    fn from(error: Malformed) -> Self {
        Self(error.0)
    }
}

/// What has been laid out so far.
pub(crate) struct Lowering<'a> {
    pub program: &'a Program,
    pub system: System,
    /// Inputs run at once: the first axis of each tensor of the trace.
    pub batch: usize,
    trace: Vec<TensorId>,
}

/// An operand as a gadget sees it.
pub(crate) struct Read<'a> {
    /// The program's shape.
    pub shape: &'a [usize],
    /// A constant's values.
    pub constant: Option<&'a [i64]>,
    /// A tensor of the trace.
    pub tensor: Option<TensorId>,
}

/// Every operator's tensors and constraints, for `batch` inputs at once.
pub fn lower(program: &Program, batch: usize) -> Result<System, Refusal> {
    let mut lowering = Lowering { program, system: System::default(), batch, trace: Vec::new() };
    for spec in &program.inputs {
        let shape = lowering.batched(&spec.shape);
        let (low, high) = spec.interval;
        if low.checked_neg().is_none_or(|low| low >= 1 << 61) || high >= 1 << 61 {
            let reason = format!("it spans [{low}, {high}], and 2^61 is the limit");
            return Err(Refusal { operator: "an input".to_owned(), reason });
        }
        let given = lowering.system.given(&shape, spec.interval);
        let id = committed_within(&mut lowering.system, &shape, spec.interval, Recipe::map(given, |value| value));
        lowering.system.inputs.push(id);
        lowering.trace.push(id);
    }
    for operator in &program.operators {
        let name = || format!("{} `{}`", operator.kind, operator.label);
        let gadget = GADGETS.iter().find(|(kind, _)| *kind == operator.kind);
        let (_, gadget) = gadget.ok_or_else(|| Refusal { operator: name(), reason: "it has no gadget yet".to_owned() })?;
        let id = gadget(&mut lowering, operator).map_err(|failure| Refusal { operator: name(), reason: failure.0 })?;
        lowering.trace.push(id);
    }
    if !lowering.system.is_well_formed() {
        let reason = "an operator's tensors do not fit each other, for this count of inputs".to_owned();
        return Err(Refusal { operator: "the program".to_owned(), reason });
    }
    lowering.system.outputs = program.outputs.iter().filter_map(|index| lowering.trace.get(*index).copied()).collect();
    Ok(lowering.system)
}

impl<'a> Lowering<'a> {
    /// A shape of the program, with the axis of inputs in front.
    pub fn batched(&self, shape: &[usize]) -> Vec<usize> {
        [&[self.batch], shape].concat()
    }

    /// As `tensor`, for a result of that many axes, that of inputs included: both axes of inputs come first.
    pub fn broadcast(&mut self, operator: &Operator, place: usize, rank: usize) -> Result<(TensorId, Vec<usize>), Failure> {
        let of_trace = self.read(operator, place)?.tensor.is_some();
        let (id, mut shape) = self.tensor(operator, place)?;
        if of_trace {
            let missing = rank.saturating_sub(shape.len());
            shape.splice(1..1, std::iter::repeat_n(1, missing));
        }
        Ok((id, shape))
    }

    /// The operand at `place`.
    pub fn read(&self, operator: &Operator, place: usize) -> Result<Read<'a>, Failure> {
        let absent = || Failure("an operand is missing".to_owned());
        match *operator.operands.get(place).ok_or_else(absent)? {
            Source::Constant(index) => {
                let constant = self.program.constants.get(index).ok_or_else(absent)?;
                Ok(Read { shape: &constant.shape, constant: Some(&constant.values), tensor: None })
            }
            Source::Trace(index) => {
                let inputs = &self.program.inputs;
                let operators = self.program.operators.get(index.wrapping_sub(inputs.len())).map(|o| &o.output.shape);
                let shape = inputs.get(index).map(|spec| &spec.shape).or(operators).ok_or_else(absent)?;
                Ok(Read { shape, constant: None, tensor: self.trace.get(index).copied() })
            }
        }
    }

    /// An operand as a tensor of the system, a constant put on its cube, and its shape there: the trace's have the axis of inputs.
    pub fn tensor(&mut self, operator: &Operator, place: usize) -> Result<(TensorId, Vec<usize>), Failure> {
        let read = self.read(operator, place)?;
        match (read.constant, read.tensor) {
            (Some(values), _) => Ok((self.system.constant(read.shape, padded(read.shape, values)), read.shape.to_vec())),
            (None, Some(id)) => Ok((id, self.batched(read.shape))),
            (None, None) => Err(Failure("an operand refers forward".to_owned())),
        }
    }
}

/// Values of a shape on its cube, zero in the padding.
pub(crate) fn padded(shape: &[usize], values: &[i64]) -> Vec<i64> {
    let mut cube = vec![0; 1 << shape.iter().map(|size| bits(*size)).sum::<usize>()];
    for (index, value) in values.iter().enumerate() {
        cube[cube_index(shape, index)] = *value;
    }
    cube
}

/// Where the entry of a flat index stands on the cube.
pub(crate) fn cube_index(shape: &[usize], mut index: usize) -> usize {
    let (mut place, mut shift) = (0, 0);
    for size in shape.iter().rev() {
        place |= (index % size) << shift;
        index /= size;
        shift += bits(*size);
    }
    place
}
