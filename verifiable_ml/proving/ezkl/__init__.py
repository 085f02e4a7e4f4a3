# SPDX-License-Identifier: MIT OR Apache-2.0
"""proving.ezkl: halo2-KZG proofs by ezkl, which runs in a process of its own and is told nothing but files.

view.py writes a Program as a circuit, circuit.py chooses its size, setup.py makes keys, prove.py and verify.py use them.
"""
