// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Python module `verifiable_ml_sumcheck`: it converts, and releases the interpreter while it works. No meaning lives here.

use commitment::{Kzg, Srs, VerifierKey as Reference};
use protocol::{ProveError, Stages};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

pyo3::create_exception!(verifiable_ml_sumcheck, Refused, PyValueError, "A program that cannot be proved: operator, reason.");

pyo3::create_exception!(verifiable_ml_sumcheck, Cancelled, PyRuntimeError, "Whoever was told of a stage answered False.");

/// Of this module's functions and of the bytes that they take and give: Python asks for one and no other.
const INTERFACE: u32 = 2;

type Tensors = Vec<Vec<i64>>;

fn invalid(error: impl std::fmt::Debug) -> PyErr {
    PyValueError::new_err(format!("{error:?}"))
}

fn read(graph: &[u8], weights: &[u8]) -> PyResult<program::Program> {
    program::Program::read(graph, weights).map_err(|error| PyValueError::new_err(error.0))
}

/// Raises Refused (operator, reason) if the program cannot be proved. Returns rows, log2 of a row, lookups, table entries.
#[pyfunction]
fn layout(py: Python<'_>, graph: &[u8], weights: &[u8], batch: usize) -> PyResult<(usize, usize, usize, usize)> {
    py.detach(|| {
        let system = gadgets::lower(&read(graph, weights)?, batch).map_err(|r| Refused::new_err((r.operator, r.reason)))?;
        let layout = compiler::Layout::new(&system).ok_or_else(|| Refused::new_err(("the program", "it is too large")))?;
        Ok((layout.rows.len(), layout.row_bits, 1 << layout.lookup_bits, 1 << layout.table_bits))
    })
}

/// What a prover keeps in memory.
#[pyclass(frozen)]
struct Prover {
    key: compiler::ProverKey<Kzg>,
    committer: commitment::ProverKey,
    reference: [[u8; 32]; 4],
    pool: rayon::ThreadPool,
}

/// Takes the interpreter for each stage's name; whatever it raises cancels.
fn teller(told: Option<Py<PyAny>>) -> impl Fn(&'static str) -> bool + Sync {
    move |stage| match &told {
        Some(told) => Python::attach(|py| told.call1(py, (stage,))?.extract(py)).unwrap_or(false),
        None => true,
    }
}

fn begin(stages: Stages, name: &'static str) -> PyResult<()> {
    if stages(name) { Ok(()) } else { Err(Cancelled::new_err(name)) }
}

#[pymethods]
impl Prover {
    /// From a saved program, its id, how many inputs run at once, and a reference string: a file of halo2's, or an UNSAFE seed.
    ///
    /// threads: 0 is one a core. told: called with the name of each stage, and its False cancels the work: Cancelled.
    #[new]
    #[pyo3(signature = (graph, weights, program_id, batch, srs=None, unsafe_seed=None, threads=0, told=None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        graph: &[u8],
        weights: &[u8],
        program_id: [u8; 32],
        batch: usize,
        srs: Option<&[u8]>,
        unsafe_seed: Option<&[u8]>,
        threads: usize,
        told: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let told = teller(told);
        py.detach(|| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(invalid)?;
            let (key, committer, reference) =
                pool.install(|| keys(graph, weights, program_id, batch, (srs, unsafe_seed), &told))?;
            Ok(Self { key, committer, reference, pool })
        })
    }

    /// The verification key's bytes, and the words of the string's secret in the second group.
    fn verification<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let bytes = self.key.verifier.to_bytes().map_err(invalid)?;
        Ok((PyBytes::new(py, &bytes), PyBytes::new(py, self.reference.as_flattened())))
    }

    /// Runs the program and proves it: outputs, in C order, and the proof. told: as when it was made.
    #[pyo3(signature = (context, inputs, told=None))]
    fn prove<'py>(
        &self,
        py: Python<'py>,
        context: [u8; 32],
        inputs: Tensors,
        told: Option<Py<PyAny>>,
    ) -> PyResult<(Tensors, Bound<'py, PyBytes>)> {
        let told = teller(told);
        let proved = py.detach(|| self.pool.install(|| protocol::prove(&self.key, &self.committer, context, inputs, &told)));
        let (statement, words) = proved.map_err(|error| match error {
            ProveError::Cancelled => Cancelled::new_err("the proof"),
            other => PyRuntimeError::new_err(format!("{other:?}")),
        })?;
        Ok((statement.outputs, PyBytes::new(py, words.as_flattened())))
    }
}

/// Prover's key, what commits, and the words of the string's secret in the second group.
type Made = (compiler::ProverKey<Kzg>, commitment::ProverKey, [[u8; 32]; 4]);

fn keys(
    graph: &[u8],
    weights: &[u8],
    program_id: [u8; 32],
    batch: usize,
    string: (Option<&[u8]>, Option<&[u8]>),
    stages: Stages,
) -> PyResult<Made> {
    begin(stages, "laying the program out")?;
    let program = read(graph, weights)?;
    let system = gadgets::lower(&program, batch).map_err(|r| Refused::new_err((r.operator, r.reason)))?;
    let layout = compiler::Layout::new(&system).ok_or_else(|| Refused::new_err(("the program", "it is too large")))?;
    begin(stages, "reading the reference string")?;
    let string = match string {
        (Some(file), _) => Srs::from_halo2(file),
        (None, Some(seed)) => Srs::unsafe_from_seed(layout.row_bits as u32, seed),
        (None, None) => return Err(PyValueError::new_err("a reference string is needed")),
    };
    let string = string.map_err(invalid)?;
    drop(system);
    begin(stages, "committing to the weights")?;
    let made = compiler::setup::<Kzg>(&program, program_id, batch, string.id(), |n| string.prover_key(n as u32));
    let (key, committer) = made.map_err(invalid)?;
    Ok((key, committer, string.tau_words()))
}

/// Whether a proof shows that these inputs give these outputs: ("accepted" | "rejected" | "malformed", reason).
///
/// Raises ValueError on a key that is none.
#[pyfunction]
fn verify(
    py: Python<'_>,
    key: &[u8],
    reference: &[u8],
    context: [u8; 32],
    inputs: Tensors,
    outputs: Tensors,
    proof: &[u8],
) -> PyResult<(&'static str, String)> {
    py.detach(|| {
        let (key, reference) = (self::key(key)?, self::reference(reference)?);
        let (words, rest) = proof.as_chunks::<32>();
        if !rest.is_empty() {
            return Ok(("malformed", "it is not made of whole words".to_owned()));
        }
        let statement = protocol::Statement { context, inputs, outputs };
        Ok(match protocol::verify(&key, &reference, &statement, words) {
            Ok(_) => ("accepted", String::new()),
            Err(protocol::Fault::Rejected(reason)) => ("rejected", reason.to_owned()),
            Err(protocol::Fault::Malformed(part)) => ("malformed", format!("{part} is missing, surplus, or not canonical")),
        })
    })
}

/// The program id and the count of inputs of a key. Raises ValueError on what is none.
#[pyfunction]
fn read_key(py: Python<'_>, key: &[u8], reference: &[u8]) -> PyResult<([u8; 32], usize)> {
    py.detach(|| {
        self::reference(reference)?;
        self::key(key).map(|key| (key.program, key.batch))
    })
}

/// Count, least and greatest integer of a tensor.
type Interval = (usize, i64, i64);

/// Plan, reference string, inputs, outputs.
type Pinned<Bytes> = (Bytes, [u8; 32], Vec<Interval>, Vec<Interval>);

/// What a contract pins of a key: the plan, the reference string's id, and what is known of each input and of each output.
///
/// Raises ValueError on a key that is none, or that is of another string than this reference.
#[pyfunction(name = "plan")]
fn read_plan<'py>(py: Python<'py>, key: &[u8], reference: &[u8]) -> PyResult<Pinned<Bound<'py, PyBytes>>> {
    let (plan, string, inputs, outputs) = py.detach(|| pinned(key, reference))?;
    Ok((PyBytes::new(py, &plan), string, inputs, outputs))
}

fn pinned(key: &[u8], reference: &[u8]) -> PyResult<Pinned<Vec<u8>>> {
    let (key, _) = (self::key(key)?, self::reference(reference)?);
    let tau: [[u8; 32]; 4] = reference.as_chunks::<32>().0.try_into().map_err(invalid)?;
    if !Srs::ids(&tau).any(|id| id == key.reference) {
        return Err(PyValueError::new_err("the key is of another reference string"));
    }
    // a plan follows from every key of ours; one of a stranger's may refer to what the writer does not expect
    let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| plan::plan(&key, tau)));
    let plan = made.map_err(|_| PyValueError::new_err("no plan follows from the key"))?;
    let intervals = |ids: &[usize]| -> Vec<Interval> {
        let tensors = ids.iter().filter_map(|id| key.system.tensors.get(*id));
        tensors.map(|tensor| (tensor.shape.iter().product(), tensor.low, tensor.high)).collect()
    };
    Ok((plan, key.reference, intervals(&key.system.inputs), intervals(&key.system.outputs)))
}

fn key(bytes: &[u8]) -> PyResult<compiler::VerifierKey<Kzg>> {
    compiler::VerifierKey::from_bytes(bytes).map_err(invalid)
}

fn reference(bytes: &[u8]) -> PyResult<Reference> {
    let words: Option<[[u8; 32]; 4]> = bytes.as_chunks::<32>().0.try_into().ok().filter(|_| bytes.len() == 128);
    words.and_then(|words| Reference::from_words(&words)).ok_or_else(|| PyValueError::new_err("no reference string"))
}

/// The native prover of verifiable_ml.
#[pymodule]
fn verifiable_ml_sumcheck(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Prover>()?;
    module.add("Refused", module.py().get_type::<Refused>())?;
    module.add("Cancelled", module.py().get_type::<Cancelled>())?;
    module.add("INTERFACE", INTERFACE)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(layout, module)?)?;
    module.add_function(wrap_pyfunction!(verify, module)?)?;
    module.add_function(wrap_pyfunction!(read_plan, module)?)?;
    module.add_function(wrap_pyfunction!(read_key, module)?)
}
