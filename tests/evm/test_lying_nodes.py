# SPDX-License-Identifier: MIT OR Apache-2.0
"""A node may lie, and a contract may revert with any bytes: each ends as an error of ours, and no key signs what was not meant.

What a lying node can always do: say that a contract accepted. Nothing here assures against that; run a node of your own.
"""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading

import pytest
import rlp
from eth_abi.abi import encode
from eth_account import Account
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.evm.lying_node import CHAIN_ID, LyingNode, receipt, serving
from verifiable_ml import chain as chains
from verifiable_ml.chain import connection, node
from verifiable_ml.chain.reverts import embedded_revert_data, read_refusal
from verifiable_ml.errors import ChainError, InvalidInput, Unreachable, VerifiableMlError

ACCOUNT = Account.from_key("0x" + "1f" * 32)
SOMEBODY = "0x" + "22" * 20
GWEI = 10**9


@pytest.fixture
def liar():
    with serving(LyingNode()) as node:
        yield node


@pytest.fixture
def chain(liar):
    return chains.connect(liar.url, ACCOUNT, CHAIN_ID)


def _send(chain):
    return chain.node.send(SOMEBODY, b"", 100_000)


def _fields(raw: bytes) -> list[int]:
    """chain id, nonce, tip, fee, gas of an EIP-1559 transaction."""
    assert raw[0] == 2
    return [int.from_bytes(part, "big") for part in rlp.decode(raw[1:])[:5]]


def test_send_honest_node_is_believed(chain, liar):
    sent = _send(chain)
    assert (sent.gas_used, sent.block, sent.contract) == (21_000, 9, None)
    assert _fields(liar.signed[0]) == [CHAIN_ID, 0, 1, 15, 26_250]


def test_send_after_the_node_changed_its_chain_id_signs_for_the_one_asked_for(chain, liar):
    liar.answers["eth_chainId"] = "0x1"
    _send(chain)
    assert _fields(liar.signed[0])[0] == CHAIN_ID


def test_send_at_a_fee_beyond_the_limit_signs_nothing(chain, liar):
    liar.answers["eth_maxPriorityFeePerGas"] = hex(2_000 * GWEI)
    with pytest.raises(ChainError, match="more than the 1000 gwei") as caught:
        _send(chain)
    assert "max_fee" in caught.value.hint
    assert liar.signed == []


def test_send_at_a_fee_near_the_limit_never_signs_for_more(chain, liar):
    liar.answers["eth_getBlockByNumber"] = {"baseFeePerGas": hex(900 * GWEI)}
    _send(chain)
    assert _fields(liar.signed[0])[3] == 1_000 * GWEI


def test_send_with_an_estimate_beyond_the_limit_keeps_to_the_limit(chain, liar):
    liar.answers["eth_estimateGas"] = hex(2**60)
    _send(chain)
    assert _fields(liar.signed[0])[4] == 100_000


def test_send_whose_answer_names_another_transaction_waits_for_ours(chain, liar):
    liar.answers["eth_sendRawTransaction"] = lambda parameters: liar._take(parameters) and "0x" + "33" * 32
    assert _send(chain).transaction.hex() != "33" * 32


LIES = {
    "receipt_of_another": receipt(transactionHash="0x" + "33" * 32),
    "receipt_without_status": receipt(status=...),
    "receipt_with_status_null": receipt(status=None),
    "receipt_without_gas": receipt(gasUsed=...),
    "receipt_without_block": receipt(blockNumber=...),
    "receipt_not_mined": receipt(blockNumber=None),
    "receipt_without_hash": receipt(transactionHash=...),
    "receipt_is_text": "yes",
    "receipt_is_a_list": [1, 2],
    "receipt_is_a_number": 7,
    "gas_is_text": receipt(gasUsed="much"),
}


@pytest.mark.parametrize("lie", LIES)
def test_send_with_a_false_receipt_is_a_chain_error_that_names_the_transaction(chain, liar, lie):
    liar.answers["eth_getTransactionReceipt"] = LIES[lie]
    with pytest.raises(ChainError, match=r"transaction 0x[0-9a-f]{64} was sent") as caught:
        _send(chain)
    assert "look it up" in caught.value.hint


def test_send_without_a_receipt_in_time_says_that_it_may_still_be_mined(chain, liar, monkeypatch):
    monkeypatch.setattr(node, "MINING_TIMEOUT", 0.3)
    liar.answers["eth_getTransactionReceipt"] = None
    with pytest.raises(ChainError, match="no block took it") as caught:
        _send(chain)
    assert "may still be mined" in caught.value.hint


def test_send_that_failed_though_the_call_succeeds_says_in_which_block(chain, liar):
    liar.answers["eth_getTransactionReceipt"] = lambda parameters: receipt(transactionHash=parameters[0], status="0x0")
    with pytest.raises(ChainError, match="failed in block 9"):
        _send(chain)


def test_send_that_failed_in_the_first_block_is_a_chain_error(chain, liar):
    liar.answers["eth_getTransactionReceipt"] = lambda p: receipt(transactionHash=p[0], status="0x0", blockNumber="0x0")
    with pytest.raises(ChainError):
        _send(chain)


GARBAGE = (None, True, 7, -1, "", "0x", "many", "0xzz", "0x" + "ff" * 40, [], [1], {}, {"number": "?"}, {"baseFeePerGas": []})
METHODS = (
    "eth_estimateGas",
    "eth_maxPriorityFeePerGas",
    "eth_getBlockByNumber",
    "eth_getTransactionCount",
    "eth_sendRawTransaction",
    "eth_getTransactionReceipt",
    "eth_call",
    "eth_getCode",
    "eth_getBalance",
    "eth_accounts",
)


@pytest.mark.parametrize("garbage", GARBAGE, ids=repr)
def test_any_answer_of_the_wrong_shape_is_an_error_of_ours(chain, liar, monkeypatch, garbage):
    monkeypatch.setattr(node, "MINING_TIMEOUT", 0.2)
    honest = dict(liar.answers)
    for method in METHODS:
        liar.answers = {**honest, method: garbage}
        for ask in (
            _send,
            lambda c: c.node.call(SOMEBODY, b"", 1),
            lambda c: c.node.code(SOMEBODY),
            lambda c: c.balance(SOMEBODY),
        ):
            _never_crashes(ask, chain)
        _never_crashes(lambda c: c.accounts, chain)
        _never_crashes(lambda _: chains.connect(liar.url), chain)


def _never_crashes(ask, chain) -> None:
    with contextlib.suppress(VerifiableMlError):
        ask(chain)


REVERTS = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda selector, tail: bytes.fromhex(selector) + tail,
        st.sampled_from(["08c379a0", "4e487b71", "556f1830", "e450d38c"]),
        st.binary(max_size=200),
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(data=REVERTS)
def test_call_that_reverts_with_any_bytes_is_a_chain_error(chain, liar, data):
    liar.errors["eth_call"] = {"code": 3, "message": "execution reverted", "data": "0x" + data.hex()}
    with pytest.raises(ChainError):
        chain.node.call(SOMEBODY, b"", 1)
    str(read_refusal(data, chains.load_artifact("ClaimVerifier").abi))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(
    data=st.one_of(
        st.binary(max_size=600), st.lists(st.integers(0, 2**256 - 1), max_size=20).map(lambda n: encode(["uint256"] * len(n), n))
    )
)
def test_call_that_answers_any_bytes_gives_values_or_a_chain_error(chain, liar, data):
    liar.answers["eth_call"] = "0x" + data.hex()
    for name, arguments in (("registered", (bytes(32), 0)), ("verify", (bytes(32), 0, (), (), b""))):
        contract = chains.Contract(chain.node, SOMEBODY, chains.load_artifact("ClaimVerifier"))
        _never_crashes(lambda _, c=contract, n=name, a=arguments: c.call(n, *a), chain)


def test_call_whose_error_is_text_or_null_is_a_chain_error(chain, liar):
    for error in ("no", None, [], {}, {"code": 3}, {"message": None}, {"code": 3, "message": "x", "data": {"a": 1}}):
        liar.errors["eth_call"] = error
        with pytest.raises(ChainError):
            chain.node.call(SOMEBODY, b"", 1)


def test_call_that_asks_for_an_offchain_lookup_reaches_nobody(chain, liar, monkeypatch):
    """EIP-3668: a contract names addresses, and web3 would fetch from them. Nothing is fetched that was not asked for."""
    fetched = []
    monkeypatch.setattr("web3.eth.eth.handle_offchain_lookup", lambda *a, **k: fetched.append(a) or "0x")
    fields = encode(
        ["address", "string[]", "bytes", "bytes4", "bytes"], [SOMEBODY, ["https://203.0.113.1/{data}"], b"", b"1234", b""]
    )
    liar.errors["eth_call"] = {"code": 3, "message": "execution reverted", "data": "0x556f1830" + fields.hex()}
    with pytest.raises(chains.Reverted):
        chain.node.call(SOMEBODY, b"", 1)
    assert fetched == []


def test_failed_transaction_that_asks_for_an_offchain_lookup_reaches_nobody(chain, liar, monkeypatch):
    fetched = []
    monkeypatch.setattr("web3.eth.eth.handle_offchain_lookup", lambda *a, **k: fetched.append(a) or "0x")
    fields = encode(["address", "string[]", "bytes", "bytes4", "bytes"], [SOMEBODY, ["https://203.0.113.1"], b"", b"1234", b""])
    liar.answers["eth_getTransactionReceipt"] = lambda parameters: receipt(transactionHash=parameters[0], status="0x0")
    liar.errors["eth_call"] = {"code": 3, "message": "execution reverted", "data": "0x556f1830" + fields.hex()}
    with pytest.raises(chains.Reverted):
        _send(chain)
    assert fetched == []


def test_refusal_with_control_characters_cannot_write_to_a_terminal():
    data = bytes.fromhex("08c379a0") + encode(["string"], ["\x1b[2J\rACCEPTED\u202e" + "x" * 10_000])
    shown = str(read_refusal(data, ()))
    assert shown.isprintable()
    assert "ACCEPTED" in shown
    assert len(shown) < 500


def test_node_message_with_control_characters_cannot_write_to_a_terminal(chain, liar):
    liar.errors["eth_getBalance"] = {"code": -32000, "message": "\x1b[2J\rACCEPTED"}
    with pytest.raises(ChainError) as caught:
        chain.balance(SOMEBODY)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text", ["-" * 100_000 + "1", "(" * 100_000, "[" * 5_000 + "]" * 5_000, "\x00", "b'\\xff'" * 3, "1" * 10_000], ids=len
)
def test_embedded_revert_text_of_any_shape_gives_bytes(text):
    assert isinstance(embedded_revert_data(f"execution reverted: {text}"), bytes)


def test_address_that_is_none_is_invalid_input(liar):
    for address in ("vitalik.eth", "0x1234", "", "0x" + "zz" * 20):
        with pytest.raises(InvalidInput, match="address"):
            chains.connect(liar.url).at("ClaimVerifier", address)


# ---- silence -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def silence(tmp_path):
    """(HTTP address, IPC path) that take a question and never answer."""
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as ipc:
        tcp.bind(("127.0.0.1", 0))
        ipc.bind(str(tmp_path / "silent.ipc"))
        tcp.listen()
        ipc.listen()
        yield f"http://127.0.0.1:{tcp.getsockname()[1]}", str(tmp_path / "silent.ipc")


@pytest.mark.parametrize("transport", [0, 1], ids=["http", "ipc"])
def test_connect_to_a_node_that_never_answers_is_unreachable(silence, monkeypatch, transport):
    monkeypatch.setattr(connection, "REQUEST_TIMEOUT", 1.0)
    with pytest.raises(Unreachable):
        chains.connect(silence[transport])


@pytest.mark.parametrize("transport", [0, 1], ids=["http", "ipc"])
def test_node_that_falls_silent_is_unreachable(silence, chain, monkeypatch, transport):
    monkeypatch.setattr(connection, "REQUEST_TIMEOUT", 1.0)
    chain.node.web3.provider = connection._provider(silence[transport])
    with pytest.raises(Unreachable):
        chain.balance(SOMEBODY)


def test_connect_to_a_node_that_redirects_follows_nowhere(liar):
    """A node cannot make this machine ask another one."""

    class Redirect(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(307)
            self.send_header("Location", liar.url)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Redirect) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(ChainError):
            chains.connect(f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
    assert liar.seen == []


def test_unreachable_error_has_no_cause_that_shows_the_address():
    with pytest.raises(Unreachable) as caught:
        chains.connect("http://127.0.0.1:1/v3/0123456789")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
