"""A summary as one self-contained HTML page: semantic, printable, escaped, nothing fetched.

Rules
-----
- Every text that comes from outside (pseudonym, device, label, note, model id) passes :func:`html.escape`.
- No script, no font, no image, no link to anywhere: the page can be mailed, archived and printed as it is.
- First what a reader needs, in this order: who and when, what must be known beforehand, the numbers, the estimate
  with what it does not mean; then the evidence: trends, devices, gaps, events, model.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from feltsense.core.timeline import to_ns
from feltsense.report import charts, words
from feltsense.report.style import CSS
from feltsense.report.svg import swatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from feltsense.report.estimate import Estimate
    from feltsense.report.figures import Figure
    from feltsense.report.summary import Summary

__all__ = ["html"]

MAX_GAPS, MAX_EVENTS = 40, 60
"""Rows shown of each; what is beyond is counted, never dropped without a word."""

_DIGITS = {"bpm": 0, "ms": 1, "µS": 2, "1/min": 1, "°C": 2}
"""Decimals that the unit's usual measuring error leaves meaningful."""


def html(summary: Summary, contact: str = "") -> str:
    """Write a report.

    Parameters
    ----------
    summary : Summary
        What to say.
    contact : str, optional
        Whom to ask about the report.

    Returns
    -------
    str
        A complete HTML document.
    """
    title = f"Session report: {summary.subject}"
    parts = [
        _header(summary, title),
        _notices(summary),
        _numbers(summary),
        _estimate(summary),
        _limits(),
        _trends(summary),
        _streams(summary),
        _gaps(summary),
        _events(summary),
        _model(summary),
        _footer(contact),
    ]
    body = "\n".join(p for p in parts if p)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _header(s: Summary, title: str) -> str:
    rows = [
        ("Person", s.subject),
        ("Start", f"{words.moment(s.start_ns)} UTC"),
        ("Length", words.duration(s.seconds)),
        ("Devices", ", ".join(s.devices)),
        ("Calibration", s.calibration),
    ]
    lead = f'<h1>{escape(title)}</h1><p class="lead">{escape(_lead(s))}</p><p>{escape(words.IN_SHORT)}</p>'
    return f"<header>{lead}</header>\n{_terms(rows)}"


def _lead(s: Summary) -> str:
    text = f"{words.duration(s.seconds)} from {len(s.streams)} {'stream' if len(s.streams) == 1 else 'streams'}"
    gaps = len(s.sampled_gaps)
    text += f", {gaps} {'gap' if gaps == 1 else 'gaps'}." if gaps else ", no gap."
    e = s.estimate
    if e is None:
        return f"{text} No model was applied."
    if not e.outside:
        return f"{text} No window outside the calibration."
    about = dict(e.labels).get(e.about, 0)
    return (
        f"{text} {words.percent(e.decided / e.outside)} of the windows outside calibration have an estimate; "
        f"{about} of these {e.decided} {'is' if about == 1 else 'are'} “{e.about}”."
    )


def _notices(s: Summary) -> str:
    if not s.notices:
        return ""
    items = "".join(f"<li>{escape(n)}</li>" for n in s.notices)
    return f'<section class="notice" aria-label="Before you read"><h2>Before you read</h2><ul>{items}</ul></section>'


def _numbers(s: Summary) -> str:
    if not s.figures:
        return ""
    baseline = {f.baseline for f in s.figures}
    after = "Afterwards" if "recording" in baseline else "Whole recording"
    rest = "Own rest, earlier recording" if "profile" in baseline else "Own rest"
    spread = "mean ± one standard deviation" if "profile" in baseline else "the same over the known rest"
    head = _row(("", rest, after, "Change", "Usable windows"), "th", numbers=(1, 2, 3, 4))
    body = "".join(_number_row(f) for f in s.figures)
    caption = (
        f"{after}: median (and the range of the middle 80 %) over windows of {s.window_s:g} s; {rest.lower()}: {spread}. "
        "The comparison is with the person's own rest, not with other people. "
        f"Usable windows: {'at rest, then afterwards' if 'recording' in baseline else 'of all'}."
    )
    return _section("Numbers", _table(caption, head, body))


def _number_row(f: Figure) -> str:
    d = _DIGITS.get(f.unit, 1)
    name = f"{f.title}, {f.unit}" + (" – thin data" if f.thin else "")
    usable = f"{f.after.usable}/{f.after.windows}"
    if f.baseline == "recording":
        usable = f"{f.rest.usable}/{f.rest.windows}, {usable}"
    cells = (name, words.level(f.rest, d), words.level(f.after, d), words.signed(f.change, d), usable)
    return _row(cells, "td", numbers=(1, 2, 3, 4), css="thin" if f.thin else "", heading=True)


def _estimate(s: Summary) -> str:
    e = s.estimate
    if e is None:
        return _section("Estimate", "<p>No model was applied to this recording.</p>")
    shares = [
        *((f"estimated as “{label}”", n) for label, n in e.labels),
        *((f"no estimate: {words.silence(reason)}", n) for reason, n in e.silent),
    ]
    listed = "".join(f"<li>{n} of {e.outside} ({words.percent(n / e.outside)}) {escape(t)}</li>" for t, n in shares)
    text = ""
    if e.outside:
        text += f'<p>Outside the calibration interval, {e.outside} windows:</p><ul class="counts">{listed}</ul>'
    if e.open:
        text += f"<p>In {e.open} of the {e.decided} decided windows the other class cannot be ruled out (hatched).</p>"
    if e.calibration:
        text += f"<p>{e.calibration} windows overlap the calibration interval and are not counted.</p>"
    chart = _figure(f"Probability of “{e.about}”, and the decision underneath", charts.decisions(s, e))
    return _section(f"Estimate: {e.target}", chart + _legend(e) + text + _drivers(e))


def _legend(e: Estimate) -> str:
    states = [*(label for label, _ in e.labels), *([""] if e.silent else []), *(["calibration"] if e.calibration else [])]
    shown = [(charts.pattern(e, state), state or "no estimate") for state in states]
    if e.open:
        shown.append((charts.OPEN, "another class cannot be ruled out"))
    items = "".join(f"<li>{swatch(f'legend-{n}', fill)}{escape(text)}</li>" for n, (fill, text) in enumerate(shown))
    return f'<ul class="legend" aria-label="Legend">{items}</ul>'


def _drivers(e: Estimate) -> str:
    if not e.drivers:
        return ""
    listed = ", ".join(f"{name.replace('_', ' ')} {words.signed(value, 2)}" for name, value in e.drivers)
    return (
        f'<p class="small">Where it estimated “{escape(e.about)}”, these parts moved the estimate on average '
        f"(log odds, + towards “{escape(e.about)}”): {escape(listed)}.</p>"
    )


def _limits() -> str:
    items = "".join(f"<li>{escape(t)}</li>" for t in words.LIMITS)
    return f'<section class="limits"><h2>What this does not mean</h2><ul>{items}</ul></section>'


def _trends(s: Summary) -> str:
    drawn = [(f, charts.trend(s, f, n)) for n, f in enumerate(s.figures)]
    figures = [_figure(f"{f.title}, {f.unit}" + (" – thin data" if f.thin else ""), svg) for f, svg in drawn if svg]
    return _section("Course of each number", "".join(figures)) if figures else ""


def _streams(s: Summary) -> str:
    head = _row(("Stream", "Device", "Rate", "Received", "Missing", "No reading", "Coverage"), "th", numbers=(2, 3, 4, 5, 6))
    body = "".join(
        _row(
            (
                line.id,
                line.device,
                "irregular" if line.rate is None else f"{line.rate:g} Hz",
                words.count(line.received),
                words.count(line.missing, line.missing_upper),
                words.count(line.unreadable),
                "–" if line.coverage is None else words.percent(line.coverage),
            ),
            "td",
            numbers=(2, 3, 4, 5, 6),
            heading=True,
        )
        for line in s.streams
    )
    caption = "Samples. Coverage is the share of the whole recording in which the stream has a reading."
    chart = _figure("When each stream delivered data; ▾ marks a gap", charts.coverage(s))
    source = _terms([(k.replace("_", " ").capitalize(), v) for k, v in s.source if v])
    return _section("Devices and streams", chart + _table(caption, head, body) + source)


def _gaps(s: Summary) -> str:
    gaps, derived = s.sampled_gaps, _derived_gaps(s)
    if not gaps:
        return _section("Gaps", "<p>No gap in any sampled stream.</p>" + derived)
    kept = sorted(sorted(gaps, key=lambda g: -g.seconds)[:MAX_GAPS], key=lambda g: (g.start_s, g.stream))
    head = _row(("From", "To", "Length", "Stream", "Samples missing", "Why"), "th", numbers=(2, 4))
    body = "".join(
        _row(
            (
                words.clock(g.start_s),
                words.clock(g.stop_s),
                words.duration(g.seconds),
                g.stream,
                words.count(g.samples, g.upper),
                words.gap_reason(g.reason),
            ),
            "td",
            numbers=(2, 4),
        )
        for g in kept
    )
    rest = len(gaps) - len(kept)
    left = sum(g.seconds for g in gaps) - sum(g.seconds for g in kept)
    more = f"<p>And {rest} shorter {'gap' if rest == 1 else 'gaps'}, {words.duration(left)} in all.</p>" if rest else ""
    table = _table("Times from the start of the recording. Nothing was filled in.", head, body)
    return _section("Gaps", table + more + derived)


def _derived_gaps(s: Summary) -> str:
    """One line for each stream that comes when it comes: its gaps are many and are no fault."""
    lines = [
        f"<p>{escape(line.id)}: {len(line.gaps)} {'gap' if len(line.gaps) == 1 else 'gaps'}, "
        f"{words.duration(sum(g.seconds for g in line.gaps))} in all, where the device gave no values.</p>"
        for line in s.streams
        if line.rate is None and line.gaps
    ]
    return "".join(lines)


def _events(s: Summary) -> str:
    if not s.events:
        return ""
    head = _row(("At", "UTC", "What", "Length", ""), "th", numbers=(3,))
    body = "".join(
        _row(
            (
                words.clock(e.at_s),
                words.moment(s.start_ns + to_ns(e.at_s))[11:],
                e.kind.replace("_", " "),
                words.duration(e.seconds) if e.seconds else "",
                e.text,
            ),
            "td",
            numbers=(3,),
        )
        for e in s.events[:MAX_EVENTS]
    )
    rest = len(s.events) - MAX_EVENTS
    more = f"<p>And {rest} more.</p>" if rest > 0 else ""
    return _section("Events", _table("Labels, markers, notes and connections.", head, body) + more)


def _model(s: Summary) -> str:
    if s.model is None:
        return ""
    rows = [
        ("Model", s.model.id),
        ("Trained on", s.model.training),
        ("On unseen people", s.model.score),
        ("Calibration", s.calibration),
    ]
    return _section("Model", _terms([(k, v) for k, v in rows if v]))


def _footer(contact: str) -> str:
    whom = contact or "the person who gave it to you"
    return f"<footer><p>Questions about this report: {escape(whom)}.</p></footer>"


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _figure(caption: str, svg: str) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption>{svg}</figure>"


def _terms(rows: Sequence[tuple[str, str]]) -> str:
    listed = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows)
    return f'<dl class="terms">{listed}</dl>' if listed else ""


def _table(caption: str, head: str, body: str) -> str:
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead>{head}</thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(cells: Sequence[str], tag: str, *, numbers: Iterable[int] = (), css: str = "", heading: bool = False) -> str:
    right = set(numbers)
    out = []
    for n, cell in enumerate(cells):
        name = "th" if tag == "th" or (heading and n == 0) else "td"
        scope = "" if name == "td" else ' scope="col"' if tag == "th" else ' scope="row"'
        align = ' class="number"' if n in right else ""
        out.append(f"<{name}{scope}{align}>{escape(cell)}</{name}>")
    opening = f'<tr class="{css}">' if css else "<tr>"
    return f"{opening}{''.join(out)}</tr>"
