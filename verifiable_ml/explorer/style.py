# SPDX-License-Identifier: MIT OR Apache-2.0
"""How pages look: one style sheet, light and dark, wide and narrow, screen and paper."""

SHEET = """
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --card: #ffffff; --ink: #1c1f24; --dim: #646b76; --line: #e3e4e0; --faint: #f0f0ec;
  --accent: #2257c5; --accent-faint: #b9cbf1;
  --u8: #0d7f76; --i16: #6a45c4; --i32: #a25c05; --i64: #b0304f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #121417; --card: #1a1d22; --ink: #e6e8eb; --dim: #98a1ad; --line: #2d323a; --faint: #22262c;
    --accent: #7aa5ff; --accent-faint: #35497a;
    --u8: #4cc9bd; --i16: #b19bff; --i32: #f0ab4f; --i64: #ff86a1;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto,
  "Helvetica Neue", "Noto Sans", "Liberation Sans", sans-serif; -webkit-text-size-adjust: 100%; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 72px; }
header { margin-bottom: 28px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -.02em; }
h2 { font-size: 18px; margin: 0 0 4px; letter-spacing: -.01em; }
h3 { font-size: 14px; margin: 0; font-weight: 600; }
p { margin: 0; }
.dim, .note { color: var(--dim); }
.note { font-size: 13.5px; margin-bottom: 14px; max-width: 104ch; }
code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  font-size: .88em; }
.id { display: block; overflow-wrap: anywhere; color: var(--dim); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 12px; margin: 0 0 20px; }
.tile, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 12px 14px; display: flex; flex-direction: column; justify-content: space-between; }
.tile dt { color: var(--dim); font-size: 12.5px; }
.tile dd { margin: 0; font-size: 21px; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
.tile dd small { font-size: 13px; font-weight: 400; color: var(--dim); letter-spacing: 0; }
section { padding: 20px 22px 22px; margin: 0 0 20px; }
.wide { overflow-x: auto; margin: 0 -22px; padding: 0 22px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; color: var(--dim); font-size: 12.5px; white-space: nowrap; vertical-align: bottom; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
th:last-child, td:last-child { padding-right: 0; }
td.n, th.n { text-align: right; white-space: nowrap; }
td:first-child { min-width: 8.5em; overflow-wrap: anywhere; }
.whole { white-space: nowrap; }
tr.taken td { background: var(--faint); font-weight: 600; }
tr.taken td:first-child { box-shadow: -8px 0 0 var(--faint), inset 3px 0 0 var(--accent); padding-left: 10px; }
.bits { display: inline-block; min-width: 32px; padding: 0 6px; border-radius: 5px; border: 1px solid currentColor;
  text-align: center; font-size: 12px; line-height: 18px; }
.u8 { color: var(--u8); } .i16 { color: var(--i16); } .i32 { color: var(--i32); } .i64 { color: var(--i64); }
.share { display: flex; height: 12px; border-radius: 6px; overflow: hidden; margin: 4px 0 8px; gap: 2px; }
.share span { background: currentColor; min-width: 3px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; background: currentColor; margin-right: 6px; }
.legend b { font-weight: 400; color: var(--ink); }
.bar { display: block; }
.plots { display: grid; gap: 20px 28px; margin-top: 18px;
  grid-template-columns: repeat(auto-fit, minmax(min(380px, 100%), 1fr)); }
figure { margin: 0; max-width: 500px; }
figcaption { font-size: 13.5px; margin-bottom: 6px; overflow-wrap: anywhere; }
figure svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--dim); font-size: 11px; font-family: inherit; font-variant-numeric: tabular-nums; }
.axis { stroke: var(--line); } .even { stroke: var(--dim); stroke-dasharray: 3 3; }
.dot { fill: var(--accent); fill-opacity: .5; }
.base { fill: var(--accent-faint); } .more { fill: var(--accent); }
details { border-top: 1px solid var(--line); padding: 8px 0; }
details:first-of-type { border-top: 0; } details:last-of-type { padding-bottom: 0; }
summary { cursor: pointer; font-size: 14px; }
summary::marker { color: var(--dim); }
details table { margin: 8px 0 4px 17px; width: calc(100% - 17px); }
.why { display: block; color: var(--dim); font-size: 13.5px; margin-left: 17px; max-width: 90ch; }
footer { color: var(--dim); font-size: 13px; }
@media (max-width: 640px) {
  main { padding: 24px 14px 48px; } section { padding: 16px; } .wide { margin: 0 -16px; padding: 0 16px; }
}
@media print { body { background: #fff; } section, .tile { break-inside: avoid; } }
"""
