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
from hexbytes import HexBytes
from web3 import Web3
from web3._utils.threads import Timeout  # what IPC raises, and no public module names it
from web3.exceptions import ContractLogicError, ProviderConnectionError, TimeExhausted, Web3RPCError
from web3.types import RPCEndpoint

from verifiable_ml.chain.reverts import Reverted, embedded_revert_data, printable
from verifiable_ml.errors import ChainError, TransactionPending, Unreachable, VerifiableMlError

MINING_TIMEOUT = 180.0
"""Seconds that a transaction has to get into a block, unless somebody is in a hurry."""

GWEI = 10**9

LOG_BLOCKS = 2_000
"""Blocks that are searched for logs in one question: public nodes refuse more."""

MAX_FEE = 1_000 * GWEI
"""Wei for one gas that an account of ours pays at most: the node names the price, and it may lie or the price may spike."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction that succeeded. contract: the address it created, or None."""

    transaction: bytes
    gas_used: int
    block: int
    contract: str | None


@dataclass(frozen=True, slots=True)
class Log:
    """One entry of a receipt: who wrote it, four words at most, and bytes; and where it stands in the chain."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    transaction: bytes
    place: int
    block_hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Block:
    """A block's number, its hash, and its time in seconds."""

    number: int
    hash: bytes
    time: int


@dataclass(frozen=True)
class Node:
    """A connection and the account that pays. `signer` is None where the node itself holds the account's key.

    What the node says is believed, but for what could cost more than a wrong answer: `chain_id` is what it was at the first
    contact, and signatures are made for it; no gas is bought above `max_fee` wei; a receipt must be that of our transaction.
    estimates: whether to ask the node for a gas limit. The embedded EVM takes a minute to estimate what it runs in a second.
    bump: above 0 a transaction takes the place of the account's oldest one that waits, at fees so many percent above what the
    node asks: what was sent before fees rose would hold up all that comes after it.
    patience: seconds until a transaction must be in a block, by default three minutes.
    """

    web3: Web3
    name: str
    chain_id: int
    sender: str | None
    signer: LocalAccount | None = None
    estimates: bool = True
    max_fee: int = MAX_FEE
    bump: int = 0
    patience: float | None = None

    def call(self, to: str, data: bytes, gas: int, block: int | None = None) -> bytes:
        """The answer of a call that changes nothing. Raises Reverted, Unreachable, ChainError."""
        call: Any = {"to": to, "data": data, "gas": gas}
        if self.sender:
            call["from"] = self.sender
        with self._failures():
            return self._call(call, "latest" if block is None else block)

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

    def number(self) -> int:
        """Of the latest block."""
        with self._failures():
            return int(self.web3.eth.block_number)

    def nonce(self) -> int:
        """Of the account's next transaction."""
        with self._failures():
            return int(self.web3.eth.get_transaction_count(Web3.to_checksum_address(self.sender or ""), "pending"))

    def block(self, number: int | None = None) -> Block:
        """A block of the chain as the node has it now, by default the latest. Raises ChainError if there is none."""
        with self._failures():
            found = self.web3.eth.get_block("latest" if number is None else number)
            return Block(int(found["number"]), bytes(found["hash"]), int(found["timestamp"]))

    def now(self) -> int:
        """The latest block's time, in seconds; the next block's is later."""
        with self._failures():
            return int(self.web3.eth.get_block("latest")["timestamp"])

    def advance(self, seconds: int) -> None:
        """Mine a block so many seconds later. Raises ChainError on a node that keeps real time."""
        with self._failures():
            tester = getattr(self.web3.provider, "ethereum_tester", None)
            if tester is not None:
                tester.time_travel(self.now() + seconds)
                tester.mine_block()
                return
            for method, arguments in (("evm_increaseTime", [seconds]), ("evm_mine", [])):
                answer = self.web3.provider.make_request(RPCEndpoint(method), arguments)
                if "error" in answer:
                    raise ChainError(
                        thing=self.name, reason="its clock cannot be advanced", hint="use the embedded EVM or anvil, or wait"
                    )

    def logs(self, address: str, first: int, last: int) -> Iterator[Log]:
        """What a contract has logged in blocks `first` to `last`, oldest first."""
        for start in range(first, last + 1, LOG_BLOCKS):
            end = min(start + LOG_BLOCKS - 1, last)
            with self._failures():
                found = self.web3.eth.get_logs({"address": Web3.to_checksum_address(address), "fromBlock": start, "toBlock": end})
                yield from map(_log, found)

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
            name = self._submit(transaction)
        succeeded, sent = self._mined(name)
        if not succeeded:
            self._explain(transaction, sent.block)
        return sent

    def _limit(self, transaction: Any) -> int:
        cap: int = transaction["gas"]
        if not self.estimates:
            return cap
        # A quarter more: an estimate is made on another state than the one the transaction meets.
        return min(cap, self.web3.eth.estimate_gas(transaction) * 5 // 4)

    def _submit(self, transaction: Any) -> bytes:
        """The transaction's hash: computed here if it is signed here, since the node may name another one."""
        if self.signer is None:
            return bytes(self.web3.eth.send_transaction(transaction))
        nonce = self.web3.eth.get_transaction_count(self.signer.address, "latest" if self.bump else "pending")
        full = {**transaction, **self._fees(), "nonce": nonce, "chainId": self.chain_id}
        signed = self.signer.sign_transaction(full)
        self.web3.eth.send_raw_transaction(signed.raw_transaction)
        return bytes(signed.hash)

    def _fees(self) -> dict[str, int]:
        tip = self.web3.eth.max_priority_fee * (100 + self.bump) // 100
        base = self.web3.eth.get_block("latest").get("baseFeePerGas", 0)
        if base + tip > self.max_fee:
            raise ChainError(
                thing=self.name,
                reason=f"gas costs {(base + tip) // GWEI} gwei there, more than the {self.max_fee // GWEI} gwei that are allowed",
                hint="ask another node, wait, or pass a higher max_fee to vml.chain.connect",
            )
        # Twice the base: it may rise by an eighth a block while the transaction waits.
        wanted = (2 * base + tip) * (100 + self.bump) // 100
        return {"maxPriorityFeePerGas": tip, "maxFeePerGas": min(wanted, self.max_fee)}

    @property
    def _patience(self) -> float:
        return MINING_TIMEOUT if self.patience is None else self.patience

    def _mined(self, name: bytes) -> tuple[bool, Sent]:
        """Whether a transaction succeeded, and its receipt. One block is enough: on a chain that reorganises, wait for more."""
        try:
            with self._failures():
                mined = self.web3.eth.wait_for_transaction_receipt(HexBytes(name), timeout=self._patience)
                if bytes(mined["transactionHash"]) != name:
                    raise self._refused("it gave the receipt of another transaction")
                sent = Sent(name, int(mined["gasUsed"]), int(mined["blockNumber"]), mined.get("contractAddress"))
                return int(mined["status"]) == 1, sent
        except ChainError as error:
            kind = Unreachable if isinstance(error, Unreachable) else TransactionPending
            raise kind(
                thing=error.thing,
                reason=f"{error.reason}; transaction 0x{name.hex()} was sent",
                hint="it may still be mined: look it up before you send it again",
            ) from None

    def _call(self, call: Any, block: Any) -> bytes:
        # EIP-3668 off: the contract would name web addresses, and web3 would ask them.
        return bytes(self.web3.eth.call(call, block, ccip_read_enabled=False))

    def _explain(self, transaction: Any, block: int) -> None:
        """A receipt does not say why: run the same call again, on the state before its block."""
        with self._failures():
            self._call(transaction, max(block - 1, 0))
        raise ChainError(
            thing=f"a transaction on {self.name}",
            reason=f"it failed in block {block}, and the same call succeeds before that block",
            hint="another transaction came first, or the gas limit was too low: send it again",
        )

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except VerifiableMlError:
            raise
        except TransactionFailed as error:
            raise Reverted(embedded_revert_data(str(error))) from error
        except ContractLogicError as error:
            raise Reverted(_revert_data(error.data)) from error
        except (requests.RequestException, ProviderConnectionError, OSError, Timeout) as error:
            raise unreachable(self.name, error) from None
        except TimeExhausted:
            raise self._refused(f"no block took it within {self._patience:g} s") from None
        except Exception as error:  # the node's bytes go through web3's decoders, and those raise whatever comes
            raise self._refused(f"{type(error).__name__}: {printable(str(error))}") from error

    def _refused(self, reason: str) -> ChainError:
        return ChainError(thing=self.name, reason=reason, hint="check the account's balance and that this is an Ethereum node")


def _log(entry: Any) -> Log:
    return Log(
        address=str(entry["address"]),
        topics=tuple(map(bytes, entry["topics"])),
        data=bytes(entry["data"]),
        block=int(entry["blockNumber"]),
        transaction=bytes(entry["transactionHash"]),
        place=int(entry["logIndex"]),
        block_hash=bytes(entry["blockHash"]),
    )


def unreachable(name: str, error: Exception) -> Unreachable:
    """No node answers. Raise it `from None`: the underlying error may hold a URL with an access key."""
    return Unreachable(thing=name, reason=f"no node answers ({type(error).__name__})", hint="start it, or check the address")


def _revert_data(data: Any) -> bytes:
    text = data if isinstance(data, str) else ""
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return b""
