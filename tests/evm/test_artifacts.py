# SPDX-License-Identifier: MIT OR Apache-2.0
"""Committed artifacts: they are what the sources compile to, and a damaged one is an error of ours."""

from __future__ import annotations

import importlib
import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from verifiable_ml import chain as chains
from verifiable_ml.chain import artifacts, solc
from verifiable_ml.chain.solc import compile_source
from verifiable_ml.commitment import keccak
from verifiable_ml.errors import BackendUnavailable, ChainError, CorruptedArtifact, MalformedEvidence, WorkerFailed
from verifiable_ml.program import OPERATORS

OUT = artifacts.CHECKOUT.parent / "out"
OURS = tuple(sorted(path.stem for path in artifacts.CHECKOUT.glob("*.json") if path.stem != "Halo2VerifierReusable"))
STRUCTS = {"Deployment", "PlanPin", "Question", "ClaimState", "Forms", "GameState"}
"""Files of structs alone."""


@pytest.mark.parametrize("name", OURS)
def test_artifact_committed_is_what_foundry_builds(name):
    assert chains.load_artifact(name) == _built(name), "the contracts changed; if on purpose: make artifacts"


def test_artifacts_of_every_operators_step_are_committed():
    steps = {f"{name.capitalize()}Step" for name in OPERATORS}
    assert {"ClaimVerifier", "VerifiedPayout", "OnChainExecution", "Steps", *steps} <= set(OURS)


def _built(name: str) -> artifacts.Artifact:
    """What forge built last, and it built it from the sources that stand here now."""
    output = json.loads((OUT / f"{name}.sol" / f"{name}.json").read_text())
    for place, source in output["metadata"]["sources"].items():
        now = "0x" + keccak((OUT.parent / place).read_bytes()).hex()
        assert source["keccak256"] == now, f"{place} was changed after it was compiled: make sol"
    return artifacts.Artifact.from_compiler(name, output)


@pytest.mark.parametrize("path", sorted((OUT.parent / "src").rglob("*.sol")), ids=lambda path: path.stem)
def test_source_file_has_one_contract_of_its_name_and_says_what_it_is(path):
    source = path.read_text()
    kinds = re.findall(r"^(?:abstract contract|contract|library|interface) (\w+)", source, re.M)
    assert kinds == ([] if path.stem in STRUCTS else [path.stem]), "one contract a file, or structs alone"
    assert source.startswith("// SPDX-License-Identifier: MIT OR Apache-2.0\n")
    for line in re.finditer(
        r"^( *)(?:error|event|function \w+\([^)]*\)[^{;]*\b(?:public|external|internal)\b)[^\n]*", source, re.M
    ):
        above = source[: line.start()].rstrip().rsplit("\n", 1)[-1].strip()
        assert above.startswith("///"), f"no NatSpec above `{line.group().strip()}`"
    assert not re.search(r"\brequire\(|revert\(\"", source), "custom errors only"


def test_property_22_no_source_asks_who_signed_the_transaction():
    sources = sorted((OUT.parent / "src").rglob("*.sol"))
    assert len(sources) > 50
    assert [path.name for path in sources if "tx.origin" in path.read_text()] == []


def test_artifact_reusable_verifier_is_what_ezkl_writes():
    pytest.importorskip("ezkl")
    tiny = importlib.import_module("tiny_circuit")
    with tempfile.TemporaryDirectory() as folder:
        built = compile_source(tiny.reusable_source(Path(folder)), "Halo2VerifierReusable")
    assert chains.load_artifact("Halo2VerifierReusable") == built, "another ezkl? if on purpose: make artifacts"


def test_artifact_with_immutables_matches_any_value_of_them():
    artifact = chains.load_artifact("ClaimVerifier")
    (start, length), *_ = artifact.immutables
    code = artifact.runtime[:start] + b"\x07" * length + artifact.runtime[start + length :]
    assert artifact.matches(code)
    assert not artifact.matches(code[:-1])
    assert not artifact.matches(bytes([code[0] ^ 1]) + code[1:])


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"name": "Broken", "abi": [], "bytecode": {"object": "0xzz"}}'])
def test_artifact_damaged_is_corrupted_artifact(tmp_path, monkeypatch, content):
    monkeypatch.setattr(artifacts, "CHECKOUT", tmp_path)
    if content is not None:
        (tmp_path / "Broken.json").write_text(content)
    with pytest.raises(CorruptedArtifact, match="Broken"):
        chains.load_artifact("Broken")


TINY = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract Tiny { function two() external pure returns (uint256) { return 2; } }
"""


def test_solc_compiles_and_the_result_runs():
    chain = chains.embedded()
    assert chain.deploy(compile_source(TINY, "Tiny")).call("two") == (2,)


@pytest.mark.parametrize(("source", "contract"), [("contract {", "Tiny"), (TINY, "Other"), ("", "Tiny")])
def test_solc_source_that_does_not_compile_is_malformed(source, contract):
    with pytest.raises(MalformedEvidence):
        compile_source(source, contract)


def test_solc_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BackendUnavailable, match="Solidity compiler") as caught:
        compile_source(TINY, "Tiny")
    assert "make npm" in caught.value.hint


def test_solc_named_but_missing_is_not_replaced_by_another(monkeypatch):
    monkeypatch.setenv("VML_SOLC", "/nowhere/solc")
    with pytest.raises(BackendUnavailable, match="/nowhere/solc"):
        compile_source(TINY, "Tiny")


def test_solc_that_answers_nonsense_is_worker_failed(monkeypatch):
    monkeypatch.setenv("VML_SOLC", "/bin/true")
    with pytest.raises(WorkerFailed):
        compile_source(TINY, "Tiny")


def test_solc_that_hangs_is_worker_failed(monkeypatch, tmp_path):
    script = tmp_path / "solc"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    script.chmod(0o755)
    monkeypatch.setenv("VML_SOLC", str(script))
    monkeypatch.setattr(solc, "TIMEOUT", 0.2)
    with pytest.raises(WorkerFailed, match="TimeoutExpired"):
        compile_source(TINY, "Tiny")


def test_contract_larger_than_an_evm_takes_is_refused(registered):
    wide = replace(chains.load_artifact("ClaimVerifier"), runtime=bytes(24_577))
    with pytest.raises(ChainError, match="EIP-170"):
        registered.deploy(wide)


def test_contract_arguments_that_do_not_fit_are_refused(registered):
    from verifiable_ml.errors import InvalidInput

    with pytest.raises(InvalidInput, match="registered"):
        registered.claim_verifier.call("registered", b"\1" * 33, 0)
    with pytest.raises(InvalidInput, match="constructor"):
        registered.deploy("VerifiedPayout", 3)


def test_contract_call_of_an_address_without_code_is_a_chain_error(registered):
    nobody = replace(registered.claim_verifier, address="0x" + "11" * 20)
    with pytest.raises(ChainError, match="it answered 0 bytes"):
        nobody.call("registered", bytes(32), 0)
