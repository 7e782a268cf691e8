"""BIDS physiological recordings: ``name.bids.zip`` with a ``_physio.tsv.gz`` and a ``.json`` a stream, and the events.

BIDS 1.10, "Physiological recordings": columns without a header, ``SamplingFrequency``, ``StartTime``, ``Columns``. Segments
are one file each (``recording-<stream>``, ``split-<n>``), since BIDS knows no gaps; irregular streams have a column of
onsets. Missing values are ``n/a``.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import zipfile
from typing import TYPE_CHECKING

from feltsense.core.timeline import NS

if TYPE_CHECKING:
    from pathlib import Path

    from feltsense.core.recording import Recording, Segment, Stream

__all__ = ["ENDINGS", "EXPORTER"]

ENDINGS = (".bids.zip",)


def EXPORTER(recording: Recording, out: Path) -> None:  # noqa: N802 (its name is the registry's)
    """Write the archive."""
    person = _name(recording.subject)
    base = f"sub-{person}/beh/sub-{person}_task-session"
    with zipfile.ZipFile(out, "x", zipfile.ZIP_STORED) as file:
        about = {"Name": "feltsense export", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
        file.writestr("dataset_description.json", json.dumps(about, indent=1))
        for stream in recording.streams.values():
            for segment in stream.segments:
                name = f"{base}_recording-{_name(stream.info.id)}_split-{segment.number + 1}_physio"
                file.writestr(f"{name}.json", json.dumps(_about(stream, segment, recording.start_ns), indent=1))
                file.writestr(f"{name}.tsv.gz", gzip.compress(_table(stream, segment, recording.start_ns).encode(), mtime=0))
        file.writestr(f"{base}_events.tsv", _events(recording))


def _about(stream: Stream, segment: Segment, t0: int) -> dict[str, object]:
    info = stream.info
    columns = list(info.spec.kind.channels)
    about: dict[str, object] = {
        "SamplingFrequency": "n/a" if info.spec.rate is None else float(info.spec.rate),
        "StartTime": (segment.time.time_at(0) - t0) / NS if len(segment.values) else 0.0,
        "Columns": columns if info.spec.rate is not None else ["onset", *columns],
        "Manufacturer": info.device or "n/a",
    }
    if segment.gap is not None:
        about["SamplesMissingBefore"] = {
            "AtLeast": segment.gap.samples,
            "AtMost": segment.gap.upper,
            "Why": segment.gap.reason,
        }
    return about | {c: {"Description": info.spec.name, "Units": info.spec.unit} for c in columns}


def _table(stream: Stream, segment: Segment, t0: int) -> str:
    rows = [["n/a" if math.isnan(v) else repr(v) for v in row] for row in segment.values.tolist()]
    if stream.info.spec.rate is None:
        at = ((segment.time.times(0, len(rows)) - t0) / NS).tolist()
        rows = [[repr(t), *row] for t, row in zip(at, rows, strict=True)]
    return "".join("\t".join(row) + "\n" for row in rows)


def _events(recording: Recording) -> str:
    lines = ["onset\tduration\ttrial_type\tvalue"]
    for e in recording.events:
        length = f"{e.value!r}" if e.kind in ("label", "calibration") else "n/a"
        text = " ".join(e.text.split()) or "n/a"
        lines.append(f"{(e.t_ns - recording.start_ns) / NS!r}\t{length}\t{e.kind}\t{text}")
    return "\n".join(lines) + "\n"


def _name(text: str) -> str:
    """BIDS labels are letters and digits."""
    return re.sub(r"[^0-9A-Za-z]", "", text) or "x"
