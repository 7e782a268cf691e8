"""The report of an evaluation: one page, nothing loaded from elsewhere, charts as inline SVG."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["html"]

_ROWS = {
    "rest": "Calibrated on 270 s of rest",
    "raw": "Model without calibration",
    "rest_model_without_profile": "Calibrated model, person unknown",
    "order_randomised": "Guard: order of tasks randomised",
    "time_only": "Guard: time since start only",
    "majority": "Guard: commonest class",
}
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .7em;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}.note{color:#555}svg{max-width:100%;height:auto}
.warn{border-left:4px solid #b00;padding-left:.7em}"""
_BAR, _LEFT, _RIGHT, _HIGH = 20, 250, 640, 14
"""Pixels: height of a row of the chart, where its axis begins and ends, height of a bar."""
_LEAK = 0.85
"""A balanced accuracy above this on these recordings is a leaked clock until shown otherwise."""


def html(body: Mapping[str, Any]) -> str:
    """The page of a result."""
    target, protocol = body["target"], body["protocol"]
    data = body["data"]
    rest = body["figures"]["rest"]
    parts = [
        f"<h1>{escape(target)}: {escape(' against '.join(body['classes']))}</h1>",
        f"<p>{escape(str(data.get('data', '')))}: {len(body['people'])} people, {rest['windows']} windows of "
        f"{protocol['window_s']:g} s every {protocol['hop_s']:g} s, {escape(protocol['split'])}. Each person's first "
        f"{protocol['rest_s']:g} s of rest calibrate the model and are scored nowhere.</p>",
    ]
    if data.get("seen_in_training"):
        names = escape(", ".join(data["seen_in_training"]))
        parts.append(f'<p class="warn">The model was trained on {names}: this page says nothing about new people.</p>')
    if rest["balanced_accuracy"] > _LEAK:
        parts.append('<p class="warn">Higher than anything honest known: look for a leaked clock first.</p>')
    parts += ["<h2>Figures</h2>", _chart(body["figures"]), _figures(body["figures"]), _gains(body["gains"])]
    parts += ["<h2>People</h2>", _people(body["people"]), _explained(protocol)]
    if data.get("notice"):
        parts.append(f'<p class="note">Data: {escape(data["notice"])}.</p>')
    title = f"feltsense evaluation: {escape(target)}"
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>'
    return head + "<body>" + "\n".join(parts) + "</body></html>\n"


def _names(figures: Mapping[str, Any]) -> dict[str, str]:
    alone = {n: f"Calibrated, {n.removesuffix('_alone')} alone" for n in sorted(figures) if n.endswith("_alone")}
    return {n: text for n, text in {**_ROWS, **alone}.items() if n in figures}


def _chart(figures: Mapping[str, Any]) -> str:
    names = _names(figures)
    height = _BAR * (len(names) + 1) + 10

    def x(value: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * min(max((value - 0.4) / 0.6, 0.0), 1.0)

    out = [f'<svg viewBox="0 0 {_RIGHT + 60} {height}" role="img" aria-label="Balanced accuracy of each row">']
    for tick in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        out.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="4" y2="{height - 20}" stroke="#ddd"/>')
        out.append(f'<text x="{x(tick):.1f}" y="{height - 6}" font-size="11" text-anchor="middle">{tick:g}</text>')
    for i, (name, text) in enumerate(names.items()):
        f, y = figures[name], 6 + i * _BAR
        value = f["balanced_accuracy"] or 0.0
        fill = "#888" if text.startswith("Guard") else "#2463a4"
        out.append(f'<text x="{_LEFT - 8}" y="{y + 11}" font-size="12" text-anchor="end">{escape(text)}</text>')
        out.append(f'<rect x="{_LEFT}" y="{y}" width="{max(x(value) - _LEFT, 0):.1f}" height="{_HIGH}" fill="{fill}"/>')
        low, high = f.get("balanced_accuracy_95") or (None, None)
        if low is not None and high is not None:
            mid = y + _HIGH / 2
            out.append(f'<line x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{mid}" y2="{mid}" stroke="#111" stroke-width="2"/>')
        out.append(f'<text x="{_RIGHT + 6}" y="{y + 11}" font-size="12">{value:.3f}</text>')
    return "".join([*out, "</svg>"])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _span(value: float | None, interval: Sequence[float | None] | None) -> str:
    low, high = interval or (None, None)
    return _number(value) + (f" [{low:.3f}, {high:.3f}]" if low is not None and high is not None else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in r) + "</tr>" for r in rows)
    return "<table><tr>" + "".join(f"<th>{h}</th>" for h in head) + f"</tr>{cells}</table>"


def _figures(figures: Mapping[str, Any]) -> str:
    head = ("", "Balanced accuracy", "AUROC", "Time-matched AUROC", "Macro F1", "Calibration error")
    rows = [
        (
            escape(text),
            _span(f["balanced_accuracy"], f.get("balanced_accuracy_95")),
            _span(f["auroc"], f.get("auroc_95")),
            _number(f.get("time_matched_auroc")),
            _number(f["macro_f1"]),
            _number(f["calibration_error_equal_shares"]),
        )
        for text, f in ((text, figures[n]) for n, text in _names(figures).items())
    ]
    return _table(head, rows)


def _gains(gains: Mapping[str, Any]) -> str:
    names = {
        "rest_over_raw": "a model without calibration",
        "rest_over_rest_model_without_profile": "the same model, person unknown",
    }
    out = [
        f"<li>over {names[n]}: {_span(g['balanced_accuracy'], g['balanced_accuracy_95'])}</li>"
        for n, g in sorted(gains.items())
    ]
    return f"<p>What calibration adds in balanced accuracy, paired over people:</p><ul>{''.join(out)}</ul>" if out else ""


def _people(people: Sequence[Mapping[str, Any]]) -> str:
    head = ("Person", "Windows", "Without answer", "Balanced accuracy", "AUROC", "Macro F1", "Share of the decided class")
    rows = [
        (
            escape(p["subject"]), str(p["windows"]), str(p["unanswered"]), _number(p["balanced_accuracy"]),
            _number(p["auroc"]), _number(p["macro_f1"]), _number(p["share"]),
        )
        for p in people
    ]
    return _table(head, rows)


def _explained(protocol: Mapping[str, Any]) -> str:
    return (
        '<p class="note">Brackets: 95 % bootstrap over people. Time-matched: pairs of windows of different people at the '
        "same time since the start, where a clock alone gets one half. Order randomised: calibration first, the rest "
        f"cut into label-pure pieces of at most {protocol['order_randomised_piece_s']:g} s and shuffled, smoothing "
        "recomputed. Calibration error: ten bins, classes at equal shares, since probabilities mean "
        "“if all classes were equally likely”.</p>"
    )
