# SPDX-License-Identifier: MIT OR Apache-2.0
# Two commands do everything: `make demo` and `make test`. Each sets up what it needs, once: a stamp a tool in .stamps/.
#
#   venv -> py -> native -> npm -> sol -> demo / test / test-all / lint / bench
#
# INSTALLER=pip if uv cannot run here; PYTHON=python3.12 for another interpreter; WORKERS=4 for more cores.

PYTHON ?= python3
INSTALLER ?= uv
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps
FORGE := ../node_modules/@foundry-rs/forge-linux-amd64/bin/forge
PYTEST := $(BIN)/pytest
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

ifeq ($(INSTALLER),uv)
INSTALL := VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet
TOOLS := pip==26.3 uv==0.13.9
else
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
TOOLS := pip==26.3
endif

.PHONY: help
help:  ## This list
	@grep -hE '^[a-z-]+%?:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

# ---- set-up ----------------------------------------------------------------------------------------------------------

$(STAMPS)/venv:
	@mkdir -p $(STAMPS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TOOLS)
	@touch $@

# What the demo needs: the package and ezkl, without torch (5 GB) and cargo. Where the native prover was built, the demo takes that.
$(STAMPS)/py: $(STAMPS)/venv pyproject.toml constraints.txt
	$(INSTALL) -c constraints.txt -e '.[ezkl]'
	@touch $@

# What the tests need: every extra and the tools.
$(STAMPS)/py-all: $(STAMPS)/py
	$(INSTALL) -c constraints.txt -e '.[all]' --group dev
	@touch $@

# The native prover, which cargo builds: an extension of its own, and the package works without it.
RUST := $(wildcard circuits/sumcheck/*.toml circuits/sumcheck/Cargo.lock circuits/sumcheck/crates/*/Cargo.toml \
  circuits/sumcheck/crates/*/src/*.rs circuits/sumcheck/crates/*/src/*/*.rs)
$(STAMPS)/native: $(STAMPS)/py $(RUST)
	$(INSTALL) --no-deps --force-reinstall ./circuits/sumcheck
	@touch $@

# Malicious provers of native proofs, which a test runs.
FORGERIES := $(wildcard tests/attacks/sumcheck/*.toml tests/attacks/sumcheck/src/*.rs tests/attacks/sumcheck/src/*/*.rs)
$(STAMPS)/forgeries: $(RUST) $(FORGERIES)
	@mkdir -p $(STAMPS)
	cd circuits/sumcheck && cargo build --quiet --locked -p forgeries
	@touch $@

$(STAMPS)/npm: package.json package-lock.json .npmrc
	@mkdir -p $(STAMPS)
	npm ci --silent
	@touch $@

SOLIDITY := $(wildcard challenge/src/*.sol challenge/src/*/*.sol challenge/test/*.sol challenge/test/*/*.sol challenge/tool/*.js) challenge/foundry.toml
$(STAMPS)/sol: $(STAMPS)/npm $(SOLIDITY)
	cd challenge && $(FORGE) build --quiet
	@touch $@

.PHONY: venv py native npm sol setup
venv: $(STAMPS)/venv      ## A virtual environment in .venv
py: $(STAMPS)/py          ## The package with the ezkl extra
native: $(STAMPS)/native  ## The native prover, built by cargo
npm: $(STAMPS)/npm        ## solc, forge, anvil
sol: $(STAMPS)/sol        ## Contracts, compiled
setup: $(STAMPS)/py-all $(STAMPS)/native $(STAMPS)/sol  ## Everything, for developers

# ---- use -------------------------------------------------------------------------------------------------------------

.PHONY: demo bench
demo: $(STAMPS)/py        ## The main job on real input: model, proof, verification on an embedded EVM, a lie refused
	$(BIN)/vml demo

bench: $(STAMPS)/py-all $(STAMPS)/native $(STAMPS)/npm  ## Every table of docs/figures.md, measured on this machine
	$(BIN)/vml bench --all

# ---- tests -----------------------------------------------------------------------------------------------------------

.PHONY: test test-all lint test-sol test-rust test-quick
test: lint test-sol test-rust test-quick  ## All quick checks: lint, types, imports, contracts, Rust, Python

lint: $(STAMPS)/py-all    ## ruff, mypy --strict, the order of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict verifiable_ml
	$(BIN)/lint-imports

test-sol: $(STAMPS)/sol   ## forge: format, unit tests, gas snapshot
	cd challenge && $(FORGE) fmt --check
	cd challenge && $(FORGE) test
	cd challenge && $(FORGE) snapshot --check --no-match-test 'Fuzz|everyVector'

test-rust:                ## cargo: format, clippy, tests of the native prover
	cd circuits/sumcheck && cargo fmt --check
	cd circuits/sumcheck && cargo clippy --quiet --locked --all-targets -- -D warnings
	cd circuits/sumcheck && cargo test --quiet --locked

test-quick: $(STAMPS)/py-all $(STAMPS)/native $(STAMPS)/forgeries $(STAMPS)/sol  ## pytest without the slow ones
	$(PYTEST) -m 'not slow' -n $(WORKERS)

# Slow tests by part, so that a failure is found again in minutes. pytest answers 5 where a part has no slow test.
SLOW := unit differential attacks evm seeds
test-all: test test-slow-proving $(SLOW:%=test-slow-%)  ## Also the slow ones, each part by its name

test-slow-proving: $(STAMPS)/py-all $(STAMPS)/native $(STAMPS)/sol  ## The large proofs (lenet5-mnist), one at a time: up to 4 GB
	$(PYTEST) -m slow -k 'prov or ezkl' tests || test $$? -eq 5

test-slow-%: $(STAMPS)/py-all $(STAMPS)/native $(STAMPS)/sol  ## Slow tests of one folder of tests/
	if test -d tests/$*; then $(PYTEST) -m slow -k 'not prov and not ezkl' tests/$* || test $$? -eq 5; fi

# ---- made files ------------------------------------------------------------------------------------------------------

.PHONY: mutants artifacts proofs vectors snapshot cards circuits figures format lock clean
cards: $(STAMPS)/py-all $(STAMPS)/native  ## models/*/README.md, which are committed
	$(BIN)/python -m verifiable_ml.bench.card models

circuits: $(STAMPS)/py    ## circuits/ezkl, which are committed: what each circuit of the zoo takes
	$(BIN)/python -m verifiable_ml.bench.circuit circuits/ezkl

figures: $(STAMPS)/py-all $(STAMPS)/native $(STAMPS)/npm ## docs/figures.md, which is committed: every table of `vml bench`
	$(BIN)/vml bench --all --output docs/figures.md

mutants: $(STAMPS)/py-all $(STAMPS)/native $(STAMPS)/sol  ## docs/mutants.md, which is committed: checks switched off in turn; an hour
	$(BIN)/python circuits/sumcheck/tool/mutants.py rust
	$(BIN)/python circuits/sumcheck/tool/mutants.py solidity
	$(BIN)/python circuits/sumcheck/tool/mutants.py write

vectors: $(STAMPS)/py-all ## tests/vectors, which are committed: what Python, Solidity and Rust must agree on
	PYTHONPATH=tests $(BIN)/python tests/vectors/generate.py

proofs: $(STAMPS)/py     ## challenge/test/fixtures, which are committed: true proofs of a tiny circuit
	$(BIN)/python challenge/tool/record_proofs.py

artifacts: $(STAMPS)/py $(STAMPS)/sol  ## challenge/artifacts, which are committed
	$(BIN)/python challenge/tool/build_artifacts.py

snapshot: $(STAMPS)/sol   ## challenge/.gas-snapshot, which is committed
	cd challenge && $(FORGE) snapshot --no-match-test 'Fuzz|everyVector'

format: $(STAMPS)/py-all $(STAMPS)/npm  ## Python and Solidity, as lint wants them
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .
	cd challenge && $(FORGE) fmt

lock: $(STAMPS)/venv      ## constraints.txt, without registry addresses
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --no-header --no-annotate \
	  --no-emit-index-url --quiet --output-file constraints.txt

clean:                    ## Back to a bare clone
	rm -rf $(VENV) $(STAMPS) node_modules challenge/out challenge/cache circuits/sumcheck/target
