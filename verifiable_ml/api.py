# SPDX-License-Identifier: MIT OR Apache-2.0
"""What `import verifiable_ml as vml` offers: the road from a model to a verdict, one function a step."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from verifiable_ml import frontend, program, proving, quantize
from verifiable_ml.commitment import Claim, Privacy
from verifiable_ml.commitment.claim import INPUT_MODES, WEIGHT_MODES
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import InvalidInput
from verifiable_ml.execute import Batch, Trace, decode_outputs, encode_inputs, predictor, public_claim, recorder
from verifiable_ml.explorer import report_page
from verifiable_ml.frontend import Rewrite
from verifiable_ml.program.encoding import FloatArray
from verifiable_ml.proving import UNBOUND, BatchProof, Estimate, Keys, Progress, Proof, Verdict, VerificationKey
from verifiable_ml.proving.base import silent
from verifiable_ml.quantize import THRESHOLD, FidelityReport, QuantSpec

REPORT = "report.json"
"""The fidelity report, beside the program in its directory."""
PAGE = "report.html"
"""The same for people."""
BACKEND = next(iter(proving.BACKENDS))
"""Who proves unless another backend is named."""
HIDDEN = {"input": "hashed", "weights": "committed"}
"""What `hide` means where no way is named: a salted Poseidon digest, and a KZG commitment that the key pins."""


class Program(program.Program):
    """A program that can be run, saved and loaded. `report` and `rewrites` are there if it was compiled just now."""

    report: FidelityReport | None = None
    rewrites: tuple[Rewrite, ...] = ()

    @classmethod
    def of(cls, data: program.Program) -> Program:
        """The same program, with these methods."""
        return cls(data.inputs, data.constants, data.operators, data.outputs, data.salt)

    def run(self, inputs: Mapping[str, Any] | Any, *, saturate: bool = False) -> tuple[Claim, Trace]:
        """Real numbers in (a dict by name, or an array if there is one input); the public claim and its trace out.

        Raises InvalidInput for a wrong shape or type, NaN, or a value beyond the encoding unless `saturate`.
        """
        trace = self._record(encode_inputs(self, inputs, saturate=saturate))
        return public_claim(trace), trace

    def predict(self, inputs: Mapping[str, Any] | Any, *, saturate: bool = False) -> list[FloatArray]:
        """The outputs as real numbers: a list, in the order of the ONNX outputs. Raises as `run`."""
        return decode_outputs(self, self._predict(encode_inputs(self, inputs, saturate=saturate)))

    def run_batch(self, samples: Sequence[Mapping[str, Any] | Any], *, saturate: bool = False) -> Iterator[tuple[Claim, Trace]]:
        """Claim and trace of each sample, in order: those of `run`, sooner. samples: inputs as `run` takes them, in a list
        or along the first axis of an array.

        Lazy: a trace that is not kept takes no memory. Raises InvalidInput, naming the sample, when its turn comes.
        """
        return ((public_claim(trace), trace) for trace in self._record_batch.traces(samples, saturate=saturate))

    def predict_batch(self, samples: Sequence[Mapping[str, Any] | Any], *, saturate: bool = False) -> list[FloatArray]:
        """The outputs of all samples, each [n, *shape], in the order of the ONNX outputs: those of `predict`, sooner.

        samples: inputs as `run` takes them, in a list or along the first axis of an array. Raises InvalidInput, naming the
        sample.
        """
        return decode_outputs(self, self._predict_batch.outputs(samples, saturate=saturate))

    @cached_property
    def _record_batch(self) -> Batch:
        return Batch(self, every_output=True)

    @cached_property
    def _predict_batch(self) -> Batch:
        return Batch(self, every_output=False)

    @cached_property
    def _record(self) -> Callable[[Mapping[str, IntArray]], Trace]:
        return recorder(self)

    @cached_property
    def _predict(self) -> Callable[[Mapping[str, IntArray]], tuple[IntArray, ...]]:
        return predictor(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the program as a directory; with report.json and report.html if it was compiled just now (no id depends on
        them).
        """
        extra = {}
        if self.report:
            extra[REPORT] = (json.dumps(self.report_to_json(), indent=1, sort_keys=True) + "\n").encode()
            extra[PAGE] = self.report_page(Path(path).stem).encode()
        program.save(self, path, extra or None)

    def report_page(self, title: str) -> str:
        """The report as one HTML page, which asks nobody for anything."""
        return report_page(title, self, self.report_to_json())

    def report_to_json(self) -> dict[str, Any]:
        """The fidelity report and the rewrites; {} for a program that was loaded."""
        if self.report is None:
            return {}
        return {"fidelity": self.report.to_json(), "rewrites": [asdict(rewrite) for rewrite in self.rewrites]}


def load(path: str | os.PathLike[str]) -> Program:
    """Read a saved program; every bound is proved again. Raises MalformedProgram, InvalidInput."""
    return Program.of(program.load(path))


def compile(
    source: Any,
    calibration: Sequence[Any],
    *,
    fixed: Mapping[str, Any] | None = None,
    spec: QuantSpec | None = None,
    validation: Sequence[Any] | None = None,
    threshold: float = THRESHOLD,
    refuse: bool = True,
) -> Program:
    """A model (path, bytes, ModelProto or torch module) and sample inputs become a program; `.report` has the fidelity.

    calibration: inputs as the model takes them, a dict {name: array} each (an array if there is one input), shapes with
    the batch axis; dynamic dimensions are fixed to theirs. fixed: inputs that are settings, {"sr": 16000}, and become constants
    of the program. validation: held-out inputs, by default every fifth of them.
    threshold: the least cosine of each output with the float model's, which widths are chosen to reach; and, up to 0.99, the
    least share of clear decisions that are the same. Raises MalformedModel, UnsupportedModel, QuantisationError, and
    FidelityBelowThreshold unless told not to refuse.
    """
    prepared, settings = frontend.load(source, list(calibration), fixed=fixed), fixed or {}
    given = None if validation is None else frontend.without_fixed(validation, settings)
    held_out = None if given is None else frontend.more_samples(prepared, given)
    compiled = quantize.quantise(prepared, spec, held_out, threshold, refuse=refuse)
    made = Program.of(compiled.program)
    made.report, made.rewrites = compiled.fidelity, compiled.rewrites
    return made


def estimate(program: Program, backend: str = BACKEND, hide: Sequence[str] = (), *, batch: int | None = None) -> Estimate:
    """What a proof takes: rows, key, memory, time. batch: inputs of one proof. Raises UnsupportedModel, BackendUnavailable."""
    if batch is None:
        return proving.backend(backend).estimate(program, privacy(hide))
    return proving.batch_backend(backend).estimate(program, privacy(hide), batch)


def setup(
    program: Program,
    backend: str = BACKEND,
    hide: Sequence[str] = (),
    *,
    batch: int | None = None,
    progress: Progress = silent,
) -> Keys:
    """Keys for proofs of this program, from the cache or made now. hide: "input", "weights", or "input=private" and so on.
    batch: keys for `prove_batch` with so many inputs.

    Keep `keys.verification`: who verifies pins it. Raises UnsupportedModel, BackendUnavailable, ResourceExceeded,
    WorkerFailed, CorruptedArtifact; what `progress` raises cancels the work.
    """
    if batch is None:
        return proving.backend(backend).setup(program, privacy(hide), progress)
    return proving.batch_backend(backend).setup(program, privacy(hide), progress, batch)


def prove(
    program: Program,
    inputs: Mapping[str, Any] | Any,
    keys: Keys,
    *,
    saturate: bool = False,
    progress: Progress = silent,
    context: bytes = UNBOUND,
) -> Proof:
    """Real numbers in, a proof of what the program answers out; `proof.claim` is what it shows.

    context: the id of the request that the proof is to settle, 32 bytes; it is good for nothing else then. Of a hashed input,
    `proof.salts` opens the commitment and goes into no file. Raises InvalidInput, and as `setup`.
    """
    backend = proving.backend(keys.verification.backend)
    return backend.prove(program, encode_inputs(program, inputs, saturate=saturate), keys, progress, _checked(context))


def prove_batch(
    program: Program,
    samples: Sequence[Mapping[str, Any] | Any],
    keys: Keys,
    *,
    saturate: bool = False,
    progress: Progress = silent,
    context: bytes = UNBOUND,
) -> BatchProof:
    """One proof for several inputs, as many as the keys are for (`setup(…, batch=n)`), for less than n proofs take;
    `proof.claims` are what it shows, one an input, in order. Raises as `prove`.
    """
    encoded = [encode_inputs(program, each, saturate=saturate) for each in samples]
    backend = proving.batch_backend(keys.verification.backend)
    return backend.prove_batch(program, encoded, keys, progress, _checked(context))


def verify(proof: Proof, claim: Claim, key: VerificationKey, *, context: bytes = UNBOUND) -> Verdict:
    """Judge a proof of a claim under a pinned key; `verdict.assumption` says what an acceptance rests on. context: the request
    that it must be made for; a proof for another one, or for none, is rejected.

    Raises MalformedEvidence on what is no proof at all, BackendUnavailable if the key's backend is not installed.
    """
    return proving.backend(key.backend).verify(proof, claim, key, _checked(context))


def verify_batch(proof: BatchProof, claims: Sequence[Claim], key: VerificationKey, *, context: bytes = UNBOUND) -> Verdict:
    """Judge one proof of several claims: accepted if it shows all of them, in this order. Raises as `verify`."""
    return proving.batch_backend(key.backend).verify_batch(proof, claims, key, _checked(context))


def _checked(context: bytes) -> bytes:
    if len(context) != len(UNBOUND):
        raise InvalidInput(thing="a context", reason=f"it has {len(context)} bytes", hint="32: the id of a request")
    return context


def privacy(hide: Sequence[str]) -> Privacy:
    """("input", "weights=hashed") as a mode. Raises InvalidInput."""
    modes = {"input": "public", "weights": "public"}
    for item in hide:
        what, _, way = item.partition("=")
        known = {"input": INPUT_MODES, "weights": WEIGHT_MODES}.get(what, ())
        if not known or (way or HIDDEN[what]) not in known:
            raise InvalidInput(thing=f"hide `{item}`", reason="it names nothing to hide", hint="input, weights, input=private …")
        modes[what] = way or HIDDEN[what]
    return Privacy(modes["input"], modes["weights"])  # type: ignore[arg-type]
