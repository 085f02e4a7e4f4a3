# SPDX-License-Identifier: MIT OR Apache-2.0
"""One node, embedded or far away: calls and transactions as bytes, and every failure as one of our errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from eth_account.signers.local import LocalAccount
from eth_tester.exceptions import TransactionFailed
from web3 import Web3
from web3.exceptions import ContractLogicError, ProviderConnectionError, TimeExhausted, Web3Exception, Web3RPCError

from verifiable_ml.chain.reverts import Reverted, embedded_revert_data
from verifiable_ml.errors import ChainError, Unreachable

MINING_TIMEOUT = 180.0
"""Seconds until a transaction must be in a block."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction that succeeded. contract: the address it created, or None."""

    transaction: bytes
    gas_used: int
    block: int
    contract: str | None


@dataclass(frozen=True)
class Node:
    """A connection and the account that pays. `signer` is None where the node itself holds the account's key.

    estimates: whether to ask the node for a gas limit. The embedded EVM takes a minute to estimate what it runs in a second.
    """

    web3: Web3
    name: str
    sender: str | None
    signer: LocalAccount | None = None
    estimates: bool = True

    def call(self, to: str, data: bytes, gas: int, block: int | None = None) -> bytes:
        """The answer of a call that changes nothing. Raises Reverted, Unreachable, ChainError."""
        call: Any = {"to": to, "data": data, "gas": gas}
        if self.sender:
            call["from"] = self.sender
        with self._failures():
            return bytes(self.web3.eth.call(call, "latest" if block is None else block))

    def code(self, address: str) -> bytes:
        """The code at an address, empty if there is none."""
        with self._failures():
            return bytes(self.web3.eth.get_code(Web3.to_checksum_address(address)))

    def balance(self, address: str) -> int:
        """What an account has, in wei."""
        with self._failures():
            return int(self.web3.eth.get_balance(Web3.to_checksum_address(address)))

    def accounts(self) -> tuple[str, ...]:
        """The accounts whose keys the node holds; none if it does not say."""
        with self._failures():
            try:
                return tuple(self.web3.eth.accounts)
            except Web3RPCError:  # public nodes refuse eth_accounts
                return ()

    def send(self, to: str | None, data: bytes, gas: int, value: int = 0) -> Sent:
        """Send one transaction and wait until it is mined. Raises Reverted, Unreachable, ChainError.

        gas: the most that it may use, and the limit itself where the node does not estimate.
        """
        if self.sender is None:
            raise ChainError(
                thing=f"a transaction on {self.name}",
                reason="no account was given, and the node holds none",
                hint="set VML_PRIVATE_KEY or pass an encrypted keystore",
            )
        transaction: Any = {"from": self.sender, "data": data, "gas": gas, "value": value}
        if to is not None:
            transaction["to"] = to
        with self._failures():
            transaction["gas"] = self._limit(transaction)
            mined = self.web3.eth.wait_for_transaction_receipt(self._submit(transaction), timeout=MINING_TIMEOUT)
        if mined["status"] != 1:
            self._explain(transaction, int(mined["blockNumber"]))
        return Sent(bytes(mined["transactionHash"]), mined["gasUsed"], mined["blockNumber"], mined.get("contractAddress"))

    def _limit(self, transaction: Any) -> int:
        cap: int = transaction["gas"]
        if not self.estimates:
            return cap
        # A quarter more: an estimate is made on another state than the one the transaction meets.
        return min(cap, self.web3.eth.estimate_gas(transaction) * 5 // 4)

    def _submit(self, transaction: Any) -> Any:
        eth = self.web3.eth
        if self.signer is None:
            return eth.send_transaction(transaction)
        tip = eth.max_priority_fee
        base = eth.get_block("latest").get("baseFeePerGas", 0)
        fees = {"maxPriorityFeePerGas": tip, "maxFeePerGas": 2 * base + tip}
        number = eth.get_transaction_count(self.signer.address, "pending")
        full = {**transaction, **fees, "nonce": number, "chainId": eth.chain_id}
        return eth.send_raw_transaction(self.signer.sign_transaction(full).raw_transaction)

    def _explain(self, transaction: Any, block: int) -> None:
        """A receipt does not say why: run the same call again, on the state before its block."""
        with self._failures():
            self.web3.eth.call(transaction, block - 1)
        raise ChainError(
            thing=f"a transaction on {self.name}",
            reason=f"it failed in block {block}, and the same call succeeds before that block",
            hint="another transaction came first, or the gas limit was too low: send it again",
        )

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except TransactionFailed as error:
            raise Reverted(embedded_revert_data(str(error))) from error
        except ContractLogicError as error:
            raise Reverted(_revert_data(error.data)) from error
        except (requests.RequestException, ProviderConnectionError, OSError) as error:
            raise unreachable(self.name, error) from error
        except TimeExhausted as error:
            raise self._refused(f"no block took the transaction within {MINING_TIMEOUT:.0f} s", error) from error
        except (Web3Exception, ValueError, TypeError, KeyError) as error:
            raise self._refused(f"{type(error).__name__}: {str(error)[:300]}", error) from error

    def _refused(self, reason: str, error: Exception) -> ChainError:
        del error
        return ChainError(thing=self.name, reason=reason, hint="check the account's balance and that this is an Ethereum node")


def unreachable(name: str, error: Exception) -> Unreachable:
    """No node answers. The underlying message is left out: it may hold a URL with an access key."""
    return Unreachable(thing=name, reason=f"no node answers ({type(error).__name__})", hint="start it, or check --rpc-url")


def _revert_data(data: Any) -> bytes:
    text = data if isinstance(data, str) else ""
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return b""
