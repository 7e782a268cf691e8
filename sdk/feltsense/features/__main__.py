"""Write the feature reference: ``python -m feltsense.features > docs/reference/features.md``."""

from __future__ import annotations

import sys

from feltsense import features

_HEAD = """# Features
Generated from the code: `python -m feltsense.features > docs/reference/features.md`. A name is
`<modality>.<feature>`; a value is missing (NaN) exactly where a reason says why. *Least* is the usable time in a
window below which the value is missing with the reason `too_short`. Each modality also has `quality.<modality>`, 0..1.
"""


def page() -> str:
    """The whole page, as Markdown."""
    parts = [_HEAD]
    for modality in features.modalities():
        cls = features.extractor(modality)
        helped = f"; helped by {', '.join(cls.uses)} of the same device" if cls.uses else ""
        parts.append(f"\n## {modality}\nFrom `{cls.requires}`{helped}.\n")
        parts.append("| feature | unit | definition | least | source |\n|---|---|---|---|---|")
        parts.extend(
            f"| `{modality}.{s.name}` | {s.unit} | {_cell(s.definition)} | {s.min_seconds:g} s | {_cell(s.source)} |"
            for s in cls.specs
        )
    return "\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
