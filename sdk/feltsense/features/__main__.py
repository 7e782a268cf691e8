"""Write the feature reference: ``python -m feltsense.features > docs/reference/features.md``."""

from __future__ import annotations

import sys

from feltsense import features
from feltsense.features._oracles import oracle
from feltsense.features._parity import PARITY, SAME

_HEAD = """# Features
Generated from the code: `python -m feltsense.features > docs/reference/features.md`. A name is
`<modality>.<feature>`; a value is missing (NaN) exactly where a reason says why. *Least* is the usable time in a
window below which the value is missing with the reason `too_short`. Each modality also has `quality.<modality>`, 0..1.
*Checked against* names the tool, annotation or signal of known answer that a test compares it with, *tolerance* how close
it must come.
"""

_ENGINES = """
## Two engines
`engine="stream"` (default; numpy and scipy, incremental, on every machine) and `engine="neurokit"` (NeuroKit2 computes
the features of ECG and EDA from the same windows; `pip install "feltsense[physio]"`). Names, units, reasons and quality
are the same: the stream engine judges which samples and beats are usable, so what it does not give, the other does not
give either (but for `eda.scr_amplitude_mean`, where one may find a response and the other none). Other modalities, and
{same}, are the stream engine's in both.

*Within*: 95 % of the windows that both engines answer differ by no more than this, absolute and as a share of the value;
a test holds it on MIT-BIH records 100 and 105, three wrist recordings and a rhythm of known spectrum. SD1, SD2 and all
time-domain indices equal NeuroKit2's to 1e-9 when both are given the same beats;
spectral indices are compared where no beat is left out. The adapter is `feltsense/features/neurokit.py`; its header lists
the library's traps and what is done about each.

| feature | NeuroKit2 call | within | where they differ, and why |
|---|---|---|---|"""


def page() -> str:
    """The whole page, as Markdown."""
    parts = [_HEAD]
    for modality in features.modalities():
        cls = features.extractor(modality)
        helped = f"; helped by {', '.join(cls.uses)} of the same device" if cls.uses else ""
        parts.append(f"\n## {modality}\nFrom `{cls.requires}`{helped}.\n")
        parts.append("| feature | unit | definition | least | source | checked against | tolerance |")
        parts.append("|---|---|---|---|---|---|---|")
        for s in cls.specs:
            check = oracle(f"{modality}.{s.name}")
            cells = (s.unit, s.definition, f"{s.min_seconds:g} s", s.source, check.against, check.tolerance)
            parts.append(f"| `{modality}.{s.name}` | {' | '.join(map(_cell, cells))} |")
    return "\n".join([*parts, *_engines()]) + "\n"


def _engines() -> list[str]:
    """How far the engines are apart."""
    spec = {f"{m}.{s.name}": s for m in features.modalities() for s in features.extractor(m).specs}
    rows = [
        f"| `{name}` | {row.call} | {_within(row.absolute, row.relative, spec[name].unit)} | {row.why} |"
        for name, row in PARITY.items()
    ]
    return [_ENGINES.format(same=", ".join(f"`{n}`" for n in SAME)), *rows]


def _within(absolute: float, relative: float, unit: str) -> str:
    amount = f"{absolute:g}" if unit == "1" else f"{absolute:g} {unit}"
    return f"{amount} + {100 * relative:g} %" if relative else amount


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
