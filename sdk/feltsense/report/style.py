"""The look of a report: one column, large type, prints on A4 and Letter without a change."""

from __future__ import annotations

__all__ = ["CSS"]

CSS = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 56rem; padding: 1.5rem; background: #fff; color: #1a1a1a;
  font: 1.0625rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
header { border-bottom: 3px solid #1a1a1a; padding-bottom: .75rem; margin-bottom: 1rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; line-height: 1.25; margin: 1.75rem 0 .5rem; break-after: avoid; }
h3 { font-size: 1.0625rem; margin: 1rem 0 .25rem; break-after: avoid; }
p, ul { margin: .4rem 0; max-width: 46rem; }
.lead { font-size: 1.1875rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dt { color: #4a4a4a; }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: #4a4a4a; padding-bottom: .25rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid #c8c8c8; }
thead th { border-bottom: 2px solid #1a1a1a; }
tbody th { font-weight: 600; }
td.number, th.number { text-align: right; }
td.number { white-space: nowrap; }
tbody th { min-width: 9rem; }
th:last-child, td:last-child { padding-right: 0; }
td.id { overflow-wrap: anywhere; }
tr.thin, tr.thin th { color: #6a6a6a; font-style: italic; }
.small { font-size: .9375rem; color: #3d3d3d; }
.notice, .limits { border: 2px solid #1a1a1a; padding: .6rem .9rem; margin: 1rem 0; break-inside: avoid; }
.notice ul, .limits ul { padding-left: 1.2rem; }
.limits h2, .notice h2 { margin-top: 0; }
figure { margin: .5rem 0 1rem; break-inside: avoid; }
figcaption { font-weight: 600; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, "Noto Sans", "DejaVu Sans", sans-serif; }
svg text { fill: #1a1a1a; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 1.5rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.25rem; padding: 0; margin: .25rem 0; list-style: none; }
.legend svg { display: inline-block; width: 1.75rem; height: .9rem; vertical-align: -.1rem; margin-right: .4rem; }
footer { border-top: 1px solid #1a1a1a; margin-top: 2rem; padding-top: .5rem; }
tr { break-inside: avoid; }
.new-page { break-before: page; }
@media screen and (max-width: 40rem) {
  body { padding: 1rem; }
  caption span, figcaption { display: block; position: sticky; left: 0; max-width: calc(100vw - 2rem); }
  figure { overflow-x: auto; }
  figure > svg { min-width: 32rem; }
  .grid { grid-template-columns: 1fr; } .grid figure > svg { min-width: 0; }
}
@page { margin: 14mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; line-height: 1.35; }
  h1 { font-size: 16pt; } h2 { font-size: 12pt; margin: 9pt 0 3pt; } h3 { margin: 6pt 0 2pt; } .lead { font-size: 11pt; }
  p, ul { max-width: none; margin: 2pt 0; }
  header { padding-bottom: 4pt; margin-bottom: 5pt; }
  .terms { grid-template-columns: max-content 1fr max-content 1fr; }
  .counts { columns: 2; }
  .grid { grid-template-columns: 1fr 1fr; } .grid figure { margin: 1pt 0; }
  th, td { padding-top: 1.5pt; padding-bottom: 1.5pt; }
  table, figure, dl { margin: 3pt 0; }
  .notice, .limits { margin: 6pt 0; padding: 3pt 8pt; }
  .scroll { overflow: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
"""Style sheet; no font and no image is fetched."""
