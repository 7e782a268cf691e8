"""``feltsense report``: a report about one recording, as HTML or PDF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import InputError

if TYPE_CHECKING:
    import argparse

    from feltsense.report import Summary
    from feltsense.report.blocks import Document

__all__ = ["add", "run", "write"]

DOCUMENTS, DATA = (".html", ".htm", ".pdf"), (".fhir.json", ".json")
"""Kinds of report that exist: documents, and the same content for programs."""
MOST_DAYS = 366
"""A chart with more days than this shows none of them."""
SIGNALS = (".csv", ".parquet", ".edf", ".bids.zip")
"""Formats of the recording itself (:mod:`feltsense.exporters`)."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    p = commands.add_parser(
        "report",
        help="write a report about a recording",
        description="Write one self-contained HTML page, or a PDF: numbers at rest and afterwards, estimates, every gap.",
    )
    p.add_argument("recording", type=Path, help="a .felt file, an E4 folder or zip, or a folder of one person's .felt files")
    p.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="REPORT",
        help="report to write: .html, .pdf, .fhir.json, .json; or the signals: .csv, .parquet, .edf, .bids.zip",
    )
    p.add_argument("--profile", type=Path, metavar="USER.json", help="profile made by: feltsense calibrate")
    p.add_argument("--model", type=Path, metavar="BUNDLE", help="model bundle (default: the one that comes with feltsense)")
    p.add_argument("--hop", type=float, default=5.0, help="seconds between two estimates (default: %(default)g)")
    p.add_argument("--contact", default="", metavar="TEXT", help="whom to ask about the report, printed at its foot")
    p.add_argument("--language", choices=("en", "de"), default="en", help="language (default: %(default)s)")
    p.add_argument("--paper", choices=("a4", "letter"), default="a4", help="paper of a PDF (default: %(default)s)")
    p.add_argument(
        "--accessible", action="store_true", help="a tagged PDF for screen readers (PDF/UA-1; feltsense[accessible])"
    )
    p.add_argument(
        "--for",
        dest="reader",
        choices=("clinician", "participant"),
        default="clinician",
        help="participant: in plain words (default: %(default)s)",
    )
    p.add_argument(
        "--appendix", action="store_true", help="add tachogram, Poincaré plot and NeuroKit2's tables (feltsense[physio])"
    )
    p.add_argument("--days", type=int, default=30, metavar="N", help="of a folder: the last N days (default: %(default)s)")
    p.add_argument("--subject", metavar="NAME", help="of a folder: whose recordings")
    p.add_argument(
        "--digests", type=Path, metavar="FILE", help="of a folder: keep each session's numbers here, for the next time"
    )
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, predict, write."""
    name = args.out.name.lower()
    if not name.endswith((*DOCUMENTS, *DATA, *SIGNALS)):
        known = ", ".join((*DOCUMENTS, *DATA, *SIGNALS))
        msg = f"{args.out}: reports are written as {known}; give --out a name with one of these endings"
        raise InputError(msg)
    if args.accessible and not name.endswith(".pdf"):
        msg = f"{args.out}: --accessible is for a PDF; an HTML page is accessible as it is"
        raise InputError(msg)
    from feltsense.cli._course import holds_recordings

    if holds_recordings(args.recording):
        return _course(args)
    from feltsense import bundle, session
    from feltsense.core.profile import UserProfile
    from feltsense.importers import open_recording
    from feltsense.report import plain, summarise
    from feltsense.report import session as clinical
    from feltsense.report.appendix import appendix
    from feltsense.report.summary import model_line

    recording = open_recording(args.recording)
    if name.endswith(SIGNALS):
        from feltsense.exporters import export

        export(recording, args.out)
        print(f"{args.out}: recording of {recording.subject} (not encrypted)")
        return 0
    profile = None if args.profile is None else UserProfile.load(args.profile)
    model = bundle.load(args.model)
    predictions = session.predict(recording, model, profile, args.hop)
    summary = summarise(recording, predictions, profile, model=model_line(model, calibrated=profile is not None))
    if name.endswith(DATA):
        _data(args.out, summary)
    else:
        if args.reader == "participant":
            document = plain(summary, args.contact, args.language)
        else:
            more = appendix(recording, args.language) if args.appendix else ()
            document = clinical(summary, args.contact, args.language, more)
        write(args.out, document, args.paper, accessible=args.accessible)
    print(f"{args.out}: report on {recording.subject}, {len(summary.sampled_gaps)} gaps, {len(summary.notices)} notices")
    return 0


def _course(args: argparse.Namespace) -> int:
    """A person's days, from a folder."""
    from feltsense import bundle
    from feltsense.cli._course import Judge, course_of
    from feltsense.core.profile import UserProfile
    from feltsense.report.course_content import over_days
    from feltsense.report.plain_course import plain_days
    from feltsense.report.summary import model_line
    from feltsense.report.tally import card

    if not args.out.name.lower().endswith(DOCUMENTS) or not 1 <= args.days <= MOST_DAYS:
        msg = f"{args.out}: a folder's report covers 1 to {MOST_DAYS} days and is written as {', '.join(DOCUMENTS)}"
        raise InputError(msg)
    profile = None if args.profile is None else UserProfile.load(args.profile)
    # The workers ask the model; here its card is read.
    line = model_line(bundle.load(args.model, "numpy"), calibrated=profile is not None)
    who = card(line, profile)
    made = course_of(args.recording, args.days, args.subject, args.digests, Judge(args.model, args.profile))
    say = plain_days if args.reader == "participant" else over_days
    write(args.out, say(made, args.contact, args.language, who), args.paper, accessible=args.accessible)
    print(f"{args.out}: {made.recorded} of {len(made.days)} days of {made.subject}")
    return 0


def _data(out: Path, summary: Summary) -> None:
    from feltsense.report.fhir import fhir
    from feltsense.report.summary_json import summary_json

    text = fhir(summary) if out.name.lower().endswith(".fhir.json") else summary_json(summary)
    out.write_text(text + "\n", encoding="utf-8")


def write(out: Path, document: Document, paper: str, *, accessible: bool = False) -> None:
    """Write a document in the format that the name ends in."""
    from feltsense.report import page, pdf
    from feltsense.report.tagged import tagged_pdf

    if out.suffix.lower() == ".pdf":
        out.write_bytes((tagged_pdf if accessible else pdf)(document, paper))
    else:
        out.write_text(page(document), encoding="utf-8")
