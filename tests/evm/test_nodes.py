# SPDX-License-Identifier: MIT OR Apache-2.0
"""Any JSON-RPC node: a real anvil by HTTP and IPC, and everything that can stand in its place."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from eth_account import Account

from tests.evm.conftest import running_anvil
from verifiable_ml import chain as chains
from verifiable_ml.chain import node
from verifiable_ml.chain.connection import node_name
from verifiable_ml.errors import ChainError, InvalidInput, Unreachable, WrongChain

# Anvil's second account. Public knowledge, worthless anywhere else.
ANVIL_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"


@pytest.mark.parametrize("transport", [0, 1], ids=["http", "ipc"])
def test_anvil_registers_verifies_and_checks(anvil, public, transport):
    chain = chains.connect(anvil[transport], chain_id=31337)
    made = chain.register(public.registration())
    assert set(made.gas) == {"ClaimVerifier", "Halo2VerifierReusable", "register"}
    assert made.deployment_id == public.registration().deployment_id
    assert chain.verify(public, public.claim, public).accepted
    assert chain.check(public.registration()) == ()


def test_anvil_lie_is_rejected_without_a_transaction(anvil, public):
    chain = chains.connect(anvil[0])
    chain.register(public.registration())
    before = chain.node.web3.eth.block_number
    told = replace(public, payload=bytes(len(public.payload)))
    receipt = chain.verify(told, told.claim, public)
    assert (receipt.accepted, receipt.reason) == (False, "ProofRejected()")
    assert chain.node.web3.eth.block_number == before


def test_anvil_signs_with_the_key_of_the_environment(anvil, public, monkeypatch):
    monkeypatch.setenv("VML_PRIVATE_KEY", ANVIL_KEY)
    chain = chains.connect(anvil[0])
    assert chain.node.sender == Account.from_key(ANVIL_KEY).address
    chain.register(public.registration())
    assert chain.verify(public, public.claim, public).accepted


def test_anvil_account_without_money_is_a_chain_error(anvil, public):
    chain = chains.connect(anvil[0], account=Account.create())
    with pytest.raises(ChainError, match="nsufficient funds"):
        chain.register(public.registration())


def test_anvil_stranger_cannot_register_on_our_verifier(anvil, public):
    ours = chains.connect(anvil[0])
    made = ours.register(public.registration())
    stranger = chains.connect(
        anvil[0], account=Account.from_key(ANVIL_KEY), claim_verifier=made.claim_verifier, reusable_verifier=made.verifier
    )
    with pytest.raises(chains.Reverted, match="NotDeployer"):
        stranger.register(replace(public.registration(), program_id=bytes(32)))
    assert stranger.verify(public, public.claim, public).accepted


def _ask(chain, method: str, *parameters):
    return chain.node.web3.provider.make_request(method, list(parameters))["result"]


def test_anvil_that_takes_its_last_blocks_back_no_longer_accepts(anvil, public):
    """A reorganisation: what was pinned is gone, and that is said, not assumed from before."""
    chain = chains.connect(anvil[0])
    chain.claim_verifier = chain.deploy("ClaimVerifier")
    before = _ask(chain, "evm_snapshot")
    chain.register(public.registration())
    assert chain.verify(public, public.claim, public).accepted
    assert _ask(chain, "evm_revert", before)
    with pytest.raises(ChainError, match="UnknownProgram") as caught:
        chain.verify(public, public.claim, public)
    assert "vml deploy" in caught.value.hint
    assert chain.check(public.registration()) == ("nothing is pinned for this program and privacy",)


def test_anvil_that_mines_too_late_names_the_transaction_and_the_next_one_follows_it(tmp_path, monkeypatch):
    with running_anvil(tmp_path) as (http, _):
        chain = chains.connect(http, Account.from_key(ANVIL_KEY))
        _ask(chain, "evm_setAutomine", False)
        monkeypatch.setattr(node, "MINING_TIMEOUT", 0.5)
        with pytest.raises(ChainError, match="may still be mined") as caught:
            chain.deploy("ClaimVerifier")
        late = re.search("0x[0-9a-f]{64}", caught.value.reason)
        assert late is not None
        monkeypatch.setattr(node, "MINING_TIMEOUT", 30.0)
        _ask(chain, "evm_setAutomine", True)
        made = chain.deploy("ClaimVerifier")
        assert made.artifact.matches(chain.node.code(made.address))
        assert _ask(chain, "eth_getTransactionReceipt", late.group())["status"] == "0x1"


def test_register_twice_reverts(anvil, public):
    chain = chains.connect(anvil[0])
    chain.register(public.registration())
    with pytest.raises(chains.Reverted, match="AlreadyRegistered"):
        chain.register(public.registration())


def test_connect_wrong_chain_id_names_both(anvil):
    with pytest.raises(WrongChain, match="serves chain 31337, and 1 was asked for"):
        chains.connect(anvil[0], chain_id=1)


def test_connect_address_of_other_code_is_refused(anvil):
    with pytest.raises(ChainError, match="no code stands there"):
        chains.connect(anvil[0], claim_verifier="0x" + "11" * 20)


@pytest.mark.parametrize("where", ["http://127.0.0.1:1", "/nowhere/node.ipc", "http://vml.invalid:8545"])
def test_connect_nobody_there_is_unreachable(where):
    with pytest.raises(Unreachable, match="no node answers"):
        chains.connect(where)


@pytest.mark.parametrize("where", ["", "ftp://127.0.0.1", "ws://127.0.0.1:8546"])
def test_connect_unknown_scheme_is_invalid_input(where):
    with pytest.raises(InvalidInput, match="neither http"):
        chains.connect(where)


@pytest.mark.parametrize("transport", [0, 1], ids=["http", "ipc"])
def test_node_that_dies_is_unreachable(dead_anvil, public, transport):
    with pytest.raises(Unreachable):
        dead_anvil[transport].verify(public, public.claim, public)


ANSWERS = {
    "html": b"<html>not found</html>",
    "empty": b"",
    "no_result": b"{}",
    "result_is_text": b'{"jsonrpc":"2.0","id":0,"result":"many"}',
    "list": b"[1, 2]",
    "deep": b"[" * 100_000,  # ends the whole process where it is read without a bound: py-evm raises the recursion limit
    "twice": b'{"jsonrpc":"2.0","id":0,"result":"0x1","result":"0x2"}',
    "not_utf8": b'{"jsonrpc":"2.0","id":0,"result":"\xff"}',
    "error": b'{"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"no such method"}}',
}


@pytest.fixture
def server(request) -> Iterator[str]:
    """An HTTP server that answers everything with the same bytes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(request.param)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


@pytest.mark.parametrize("server", ANSWERS.values(), ids=ANSWERS, indirect=True)
def test_connect_to_no_ethereum_node_is_a_chain_error(server):
    with pytest.raises(ChainError, match="does not answer eth_chainId"):
        chains.connect(server)


def test_send_without_an_account_says_how_to_give_one(public):
    chain = chains.embedded()
    chain.node = replace(chain.node, sender=None)
    with pytest.raises(ChainError, match="no account was given") as caught:
        chain.register(public.registration())
    assert "VML_PRIVATE_KEY" in caught.value.hint


def test_node_name_hides_keys_in_the_address():
    assert node_name("https://user:secret@rpc.example/v3/0123?key=4567") == "the node at https://rpc.example"


def test_unreachable_error_hides_keys_in_the_address():
    with pytest.raises(Unreachable) as caught:
        chains.connect("http://user:secret@127.0.0.1:1/v3/0123456789")
    assert "secret" not in str(caught.value)
    assert "0123456789" not in str(caught.value)
