# SPDX-License-Identifier: MIT OR Apache-2.0
"""explorer: pages for people. In: a program and its report. Out: one HTML file each, complete in itself.

No page asks anybody for anything: no script, no font, no picture comes from elsewhere. Knows no chain and no proof.
"""

from verifiable_ml.explorer.report import report_page

__all__ = ["report_page"]
