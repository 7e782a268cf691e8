"""``feltsense calibrate``: learn a person's rest, or what a few labels of the person's own say."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["add"]


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    p = subparsers.add_parser("calibrate", help="learn a person's rest from a recording")
    p.add_argument(
        "recording", nargs="+",
        help=".felt file, or an E4 folder or zip; for a model of utterances a few neutral ones (WAV, or a folder)",
    )
    p.add_argument(
        "--rest", nargs=2, default=[], metavar=("START", "END"), action="append",
        help="interval of known rest: seconds from the first sample, or ISO 8601 (UTC unless an offset is given)",
    )
    p.add_argument("--subject", metavar="ID", help="pseudonym (default: that of the recording)")
    p.add_argument("--model", metavar="BUNDLE", help="model to calibrate for (default: the shipped one for stress)")
    p.add_argument(
        "--labels", metavar="CSV",
        help="the person's own labels of the recording, columns label,start_s,end_s; learned on top of --profile",
    )
    p.add_argument(
        "--about", metavar="NAME=TEXT", action="append", default=[],
        help="what the person wishes to tell: age, sex, culture or language (age=30-39); kept in the profile",
    )
    p.add_argument("--profile", help="with --labels: the profile to add to; it stays as it is")
    p.add_argument("--out", required=True, metavar="PROFILE", help="profile to write, JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Calibrate and write the profile."""
    from feltsense import bundle
    from feltsense.calibration import calibrate, calibrate_utterances
    from feltsense.cli._times import session_ns
    from feltsense.core.profile import RestInterval
    from feltsense.core.utterance import WHOLE
    from feltsense.errors import InputError
    from feltsense.importers import open_recording, recordings_in

    if args.labels:
        return _own_labels(args)
    if args.profile:
        msg = "--profile is what --labels are added to; name the labels, or leave it out"
        raise InputError(msg)
    loaded = bundle.load(args.model, runner="numpy")
    if loaded.model.window_s == WHOLE and not args.rest:
        paths = [w for p in map(Path, args.recording) for w in (recordings_in(p) if p.is_dir() else [p])]
        profile = calibrate_utterances([open_recording(p, args.subject) for p in paths], loaded)
    elif len(args.recording) > 1 or not args.rest:
        msg = "this model is calibrated on the rest of one recording: name one, and --rest START END"
        raise InputError(msg)
    else:
        recording = open_recording(args.recording[0], args.subject)
        t0 = recording.start_ns
        rest = [RestInterval(session_ns(a, t0), session_ns(b, t0)) for a, b in args.rest]
        profile = calibrate(recording, rest, loaded)
    replace(profile, about=_about(args.about)).save(args.out)
    sys.stdout.write(f"{args.out}: {profile.lineage[-1]}; {len(profile.rest)} features\n")
    return 0


def _own_labels(args: argparse.Namespace) -> int:
    """Learn from labels and write the profile."""
    from feltsense import bundle
    from feltsense.cli._data import say
    from feltsense.core.profile import UserProfile
    from feltsense.datasets.labelled import read_own
    from feltsense.errors import InputError
    from feltsense.importers import open_recording
    from feltsense.train.own_labels import learn_labels

    if len(args.recording) > 1 or args.rest or not args.profile:
        msg = "--labels is learned from one recording on top of a profile: give --profile (from --rest before), no --rest"
        raise InputError(msg)
    loaded = bundle.load(args.model, runner="numpy")
    recording = open_recording(args.recording[0], args.subject)
    labelled = read_own(args.labels, Path(args.recording[0]), recording.subject)
    before = UserProfile.load(args.profile)
    profile = learn_labels(recording, labelled.intervals(recording, say), loaded, before)
    profile = replace(profile, about={**before.about, **_about(args.about)})
    profile.save(args.out)
    sys.stdout.write(f"{args.out}: {profile.lineage[-1]}\n")
    return 0


def _about(words: Sequence[str]) -> dict[str, str]:
    from feltsense.errors import InputError

    out = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            msg = f"--about {word}: give NAME=TEXT, for example --about age=30-39"
            raise InputError(msg)
        out[name.strip()] = text.strip()
    return out
