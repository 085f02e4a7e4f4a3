# SPDX-License-Identifier: MIT OR Apache-2.0
"""cli: `vml`. A command parses, calls the library, renders; nothing is decided here.

In: words of a command line. Out: results on standard output (tables, or one JSON document with `--json`), progress on
standard error, an exit code: 0 accepted, 1 rejected, 2 usage or malformed, 3 unsupported model, 4 chain, 5 resource or
worker, 6 fidelity below the threshold, 70 a fault of ours, 130 interrupted.
"""

from verifiable_ml.cli.main import app, main

__all__ = ["app", "main"]
