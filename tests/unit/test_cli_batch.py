# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml prove --batch`, its folder, and requests that proofs are bound to, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.conftest import TINY_INPUT, tiny_program
from verifiable_ml import api
from verifiable_ml.cli import app, files
from verifiable_ml.errors import WorkerFailed
from verifiable_ml.proving import Keys

pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck")
runner = CliRunner()
REQUEST = "ab" * 32
BATCH = "prove p.vml --batch many.npy --batch-size 3 -o proofs"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VML_BACKEND", raising=False)
    api.Program.of(tiny_program()).save("p.vml")
    np.save("x.npy", TINY_INPUT["x"])
    np.save("many.npy", np.array([[[1, 2, 3, number]] for number in range(7)], np.uint8))


def run(words):
    return runner.invoke(app, words.split())


def document(words):
    return json.loads(run(f"{words} --json").stdout)


def times() -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in Path("proofs").iterdir()}


def test_batch_is_proved_into_a_folder_that_verifies():
    said = document(BATCH)
    assert (said["inputs"], said["batch_size"], said["proved"], said["kept"], said["failed"]) == (7, 3, 3, 0, 0)
    names = {f"0000{item}.{suffix}" for item in range(3) for suffix in ("proof", "claims")}
    assert {path.name for path in Path("proofs").iterdir()} == {*names, "key.vk"}
    for item in range(3):
        done = run(f"verify proofs/0000{item}.proof proofs/0000{item}.claims -k proofs/key.vk")
        assert (done.exit_code, "ACCEPTED" in done.stdout) == (0, True), done.output


def test_key_of_a_folder_is_the_one_that_setup_makes():
    run(BATCH)
    assert run("setup p.vml --batch 3 -o three.vk").exit_code == 0
    assert Path("three.vk").read_bytes() == Path("proofs/key.vk").read_bytes()


def test_second_run_proves_only_what_is_missing_or_damaged():
    run(BATCH)
    before = times()
    Path("proofs/00000.proof").unlink()
    Path("proofs/00001.proof").write_bytes(Path("proofs/00001.proof").read_bytes()[:-100])
    said = document(BATCH)
    assert (said["proved"], said["kept"]) == (2, 1)
    after = times()
    assert {name for name in before if "proof" in name and before[name] == after[name]} == {"00002.proof"}


def test_claims_of_another_item_are_rejected_with_exit_1():
    run(BATCH)
    done = run("verify proofs/00000.proof proofs/00001.claims -k proofs/key.vk --json")
    assert (done.exit_code, json.loads(done.stdout)["reason"]) == (1, "the proof is about another claim")


def test_item_that_fails_is_told_with_exit_5_and_the_others_are_kept(monkeypatch):
    class Dying:
        def run(self, job, items):
            for item in items:
                yield item, RuntimeError("it died") if item.number == 1 else job(item)

    monkeypatch.setattr("verifiable_ml.cli.prove_batch.engine", lambda name: Dying())
    done = run(f"{BATCH} --json")
    said = json.loads(done.stdout)
    assert done.exit_code == WorkerFailed.exit_code
    assert (said["proved"], [each["item"] for each in said["failures"]]) == (2, [1])
    assert "it died" in said["failures"][0]["reason"]
    assert not Path("proofs/00001.proof").exists()
    assert "it died" in run(BATCH).stdout


WRONG = {
    "prove p.vml": "no input",
    "prove p.vml -i x.npy --batch many.npy": "or two",
    "prove p.vml --batch many.npy --context " + REQUEST: "one input",
    "prove p.vml --batch many.npy --hide input": "one input",
    "prove p.vml --batch many.npy -o x.npy": "it is a file",
    "prove p.vml --batch many.npy --engine spark": "none of that name",
    "prove p.vml --batch nobody.npy": "No such file",
    "prove p.vml -i x.npy --context 1234": "64 hex digits",
    "prove p.vml -i x.npy -b replay --context " + REQUEST: "cannot be bound",
}


@pytest.mark.parametrize("words", WRONG)
def test_batch_or_context_that_makes_no_sense_is_refused(words):
    done = run(f"{words} --json")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["error"]) == (2, "InvalidInput")
    assert WRONG[words] in said["reason"]
    assert not Path("proofs").exists()


@pytest.mark.parametrize("words", ["setup p.vml --batch 2 -b ezkl", "prove p.vml --batch many.npy -b replay"])
def test_batch_by_a_backend_that_takes_one_input_is_refused(words):
    done = run(f"{words} --json")
    assert (done.exit_code, "one input at a time" in json.loads(done.stdout)["reason"]) == (3, True)


def test_proof_with_a_context_verifies_with_it_and_not_without():
    run("setup p.vml -o p.vk")
    assert run(f"prove p.vml -i x.npy --context 0x{REQUEST} -o p.proof --claim p.claim").exit_code == 0
    assert run(f"verify p.proof p.claim -k p.vk --context {REQUEST}").exit_code == 0
    assert run("verify p.proof p.claim -k p.vk").exit_code == 1
    assert run(f"verify p.proof p.claim -k p.vk --context {'00' * 31}01").exit_code == 1
    said = document(f"verify p.proof p.claim -k p.vk --context {REQUEST} --chain embedded")
    assert (said["error"], "no request" in said["reason"]) == ("InvalidInput", True)


def test_batch_proof_is_judged_on_a_chain_as_well():
    run(BATCH)
    words = "verify proofs/00000.proof proofs/00000.claims -k proofs/key.vk --chain embedded"
    said = document(words)
    assert (said["accepted"], said["chain"]["accepted"], len(said["claim_ids"])) == (True, True, 3)
    done = run(words)
    assert (done.exit_code, "a claim" in done.stdout) == (0, True), done.output
    done = run(words.replace("00000.claims", "00001.claims"))
    assert (done.exit_code, done.stdout.count("REJECTED")) == (1, 2), done.output


def test_batch_proof_for_a_request_is_judged_on_a_chain_with_it():
    assert run("setup p.vml --batch 2 -o two.vk").exit_code == 0
    keys = Keys(None, files.read_key(Path("two.vk")))
    proof = api.prove_batch(api.load("p.vml"), [np.load("x.npy")] * 2, keys, saturate=True, context=bytes.fromhex(REQUEST))
    Path("two.proof").write_bytes(proof.to_bytes())
    Path("two.claims").write_bytes(files.claims_bytes(proof.claims))
    words = "verify two.proof two.claims -k two.vk --chain embedded"
    assert run(f"{words} --context {REQUEST}").exit_code == 0
    assert run(words).exit_code == 1


def test_batch_of_one_is_judged_on_a_chain_as_one_claim():
    run(BATCH.replace("--batch-size 3", "--batch-size 1"))
    words = "verify proofs/00000.proof proofs/00000.claims -k proofs/key.vk --chain embedded"
    assert document(words)["chain"]["accepted"]
    assert document(f"{words} --context {REQUEST}")["error"] == "InvalidInput"
    done = run(words.replace("00000.claims", "00001.claims"))
    assert (done.exit_code, done.stdout.count("REJECTED")) == (1, 2), done.output


def test_key_of_a_batch_is_deployed():
    said = document("deploy p.vml --batch 3")
    assert set(said["gas"]) == {"SumcheckVerifier", "SumcheckBatchVerifier", "plan", "register"}


def test_hidden_input_by_the_default_prover_names_the_one_that_hides():
    done = run("prove p.vml -i x.npy --hide input --json")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["error"]) == (3, "UnsupportedModel")
    assert "--backend ezkl" in said["hint"]
