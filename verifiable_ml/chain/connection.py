# SPDX-License-Identifier: MIT OR Apache-2.0
"""Where a Chain comes from: an EVM inside this process, or a JSON-RPC node by HTTP or IPC."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, IPCProvider, Web3
from web3._utils.threads import Timeout
from web3.providers.eth_tester import EthereumTesterProvider
from web3.types import RPCResponse

from verifiable_ml.chain.accounts import from_environment
from verifiable_ml.chain.chain import Chain
from verifiable_ml.chain.node import MAX_FEE, Node, unreachable
from verifiable_ml.commitment import parse_json
from verifiable_ml.errors import ChainError, InvalidInput, WrongChain

REQUEST_TIMEOUT = 60.0
"""Seconds for one answer; a verification call takes a node some 20 ms."""


def embedded() -> Chain:
    """A fresh EVM (py-evm, Prague) in this process, with funded accounts and free gas. Nothing leaves the machine."""
    from eth_tester import EthereumTester, PyEVMBackend

    web3 = Web3(EthereumTesterProvider(EthereumTester(PyEVMBackend())))
    node = Node(web3, "the embedded EVM", web3.eth.chain_id, sender=web3.eth.accounts[0], estimates=False)
    return Chain(node, implicit=True)


def connect(
    rpc_url: str,
    account: LocalAccount | None = None,
    chain_id: int | None = None,
    claim_verifier: str | None = None,
    reusable_verifier: str | None = None,
    max_fee: int = MAX_FEE,
) -> Chain:
    """A Chain on a node: http(s)://… or the path of an IPC socket.

    account: who signs; else VML_PRIVATE_KEY; else the node's own first account, if it holds one (a development node).
    chain_id: what it must be. max_fee: the most wei for one gas that `account` pays.
    Raises Unreachable, WrongChain, ChainError (not an Ethereum node), InvalidInput.
    """
    name = node_name(rpc_url)
    web3 = Web3(_provider(rpc_url))
    found, held = _first_contact(web3, name)
    if chain_id is not None and found != chain_id:
        raise WrongChain(
            thing=name,
            reason=f"it serves chain {found}, and {chain_id} was asked for",
            hint="check the address and the chain id: a transaction on another chain cannot be taken back",
        )
    signer = account or from_environment()
    sender = signer.address if signer else (held[0] if held else None)
    return Chain(Node(web3, name, found, sender, signer, max_fee=max_fee), claim_verifier, reusable_verifier)


def node_name(rpc_url: str) -> str:
    """The node for messages: host and port only, since paths, queries and user names hold access keys."""
    parts = urlsplit(rpc_url)
    if parts.scheme in ("http", "https"):
        return f"the node at {parts.scheme}://{(parts.netloc.rpartition('@')[2])}"
    return f"the node at {rpc_url}"


def _provider(rpc_url: str) -> Any:
    if rpc_url.startswith(("http://", "https://")):
        # No retries: a transaction must not be sent twice because an answer was lost. No redirects: a node names no other.
        options = {"timeout": REQUEST_TIMEOUT, "allow_redirects": False}
        return _Http(rpc_url, request_kwargs=options, exception_retry_configuration=None)
    if "://" in rpc_url or not rpc_url:
        scheme = rpc_url.partition("://")[0]
        raise InvalidInput(
            thing="the address of a node",
            reason=f"`{scheme}` is neither http(s) nor the path of a socket",
            hint="for example http://127.0.0.1:8545 or /tmp/anvil.ipc",
        )
    return _Ipc(rpc_url, timeout=int(REQUEST_TIMEOUT))


def _answer(raw_response: bytes) -> RPCResponse:
    """A node's answer, of bounded depth: py-evm raises the recursion limit, and then deep JSON ends the whole process."""
    answer: RPCResponse = parse_json(raw_response)
    return answer


class _Http(HTTPProvider):
    decode_rpc_response = staticmethod(_answer)


class _Ipc(IPCProvider):
    decode_rpc_response = staticmethod(_answer)


def _first_contact(web3: Web3, name: str) -> tuple[int, tuple[str, ...]]:
    try:
        chain_id = web3.eth.chain_id
        held = _accounts(web3)
    except (OSError, Timeout) as error:  # requests' errors are OSErrors
        raise unreachable(name, error) from None
    except Exception as error:  # whatever serves that port, it speaks no JSON-RPC of ours
        raise ChainError(
            thing=name,
            reason=f"it does not answer eth_chainId ({type(error).__name__})",
            hint="check that an Ethereum node's JSON-RPC is served there",
        ) from error
    return chain_id, held


def _accounts(web3: Web3) -> tuple[str, ...]:
    from web3.exceptions import Web3Exception

    try:
        return tuple(web3.eth.accounts)
    except Web3Exception:  # public nodes refuse eth_accounts: they hold none
        return ()
