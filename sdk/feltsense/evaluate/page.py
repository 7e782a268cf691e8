"""The report of an evaluation: one page, nothing loaded from elsewhere, charts as inline SVG."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from feltsense.evaluate._charts import Bar, Series, bars, curves, dots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["html"]

_MODELS = {
    "rest": "Calibrated on rest",
    "raw": "Model made without calibration",
    "rest_model_without_profile": "Calibrated model, person unknown",
    "late_fusion": "Plain late fusion",
    "step_raw": "Step: nobody known, window by window",
    "step_rest": "Step: rest known",
    "step_adaptive": "Step: the person's own past, too",
    "step_smoothed": "Step: smoothed",
    "family_linear": "Linear experts alone",
    "family_neural": "Neural experts alone",
    "family_trees": "Gradient-boosted experts alone",
}
_GUARDS = {
    "order_randomised": "Guard: order of tasks randomised",
    "time_only": "Guard: time since start only",
    "time_only_order_randomised": "Guard: time only, order randomised",
    "motion_only": "Guard: motion only",
    "majority": "Guard: commonest class",
}
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62em;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0}.figures td{white-space:nowrap}.figures{font-size:14px}
td,th{padding:.25em .7em;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}.note{color:#555}svg{max-width:100%;height:auto}
.warn{border-left:4px solid #b00;padding:.2em .7em;margin:.6em 0}.side{display:flex;flex-wrap:wrap;gap:1em}
.wide{overflow-x:auto}h2{margin-top:1.6em}"""
_MOST = 40
"""People listed one by one; beyond that a table helps nobody, and the JSON has them all."""


def html(body: Mapping[str, Any]) -> str:
    """The page of a result."""
    parts = [
        *_head(body), "<h2>Figures</h2>", _chart(body), _figures(body["figures"]), _nulls(body),
        "<h2>People</h2>", *_people(body), "<h2>Can the probabilities be believed?</h2>", *_calibration(body),
        "<h2>Missing modalities</h2>", *_missing(body), "<h2>Calm sessions</h2>", *_calm(body),
        "<h2>Compared</h2>", _compared(body), *_groups(body), *_raters(body), "<h2>How it was done</h2>", *_explained(body),
    ]  # fmt: skip
    title = f"feltsense evaluation: {escape(body['target'])}"
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>'
    return head + "<body>" + "\n".join(parts) + "</body></html>\n"


def _head(body: Mapping[str, Any]) -> list[str]:
    protocol, data, rest = body["protocol"], body["data"], body["figures"]["rest"]
    out = [
        f"<h1>{escape(body['target'])}: {escape(' against '.join(body['classes']))}</h1>",
        f"<p>{escape(str(data.get('data', '')))}: {len(body['people'])} people, {rest['windows']} windows of "
        f"{protocol['window_s']:g} s every {protocol['hop_s']:g} s, {escape(protocol['split'])}. Each person's first "
        f"{protocol['rest_s']:g} s of rest calibrate the model; they, and {protocol['embargo_s']:g} s around them, are "
        "scored nowhere.</p>",
        f"<p><b>Balanced accuracy {_span(rest['balanced_accuracy'], rest.get('balanced_accuracy_95'))}</b>, AUROC "
        f"{_span(rest['auroc'], rest.get('auroc_95'))}, among windows of the same minute "
        f"{_number(rest.get('time_matched_auroc')) or 'not defined'}. Worst person: {escape(str(body['worst']['subject']))} "
        f"with {_number(body['worst']['balanced_accuracy'])}.</p>",
    ]
    if data.get("seen_in_training"):
        names = escape(", ".join(data["seen_in_training"]))
        out.append(f'<p class="warn">The model was trained on {names}: this page says nothing about new people.</p>')
    first = "To be explained before the figure is believed:"
    out += [f'<p class="warn">{first} {escape(s["text"])}.</p>' for s in body["suspicions"]]
    return [*out, _ledger(body.get("ledger"))]


def _ledger(ledger: Mapping[str, Any] | None) -> str:
    if ledger is None or ledger["others"] is None:
        return '<p class="note">Nobody counted how many configurations were tried on these people before.</p>'
    text = f"{ledger['others']} other configurations were tried on these people before"
    if ledger["best_other"] is not None:
        text += f"; the best of them reached {ledger['best_other']:.3f}"
    lost = "" if ledger["kept"] else " The ledger could not be written: this one will not be counted."
    return f'<p class="note">{text}. The more were tried, the more of the best figure is luck.{lost}</p>'


def _names(figures: Mapping[str, Any]) -> dict[str, str]:
    alone = {n: f"{n.removesuffix('_alone')} alone" for n in sorted(figures) if n.endswith("_alone")}
    left = {n: f"without {n.removeprefix('without_')}" for n in sorted(figures) if n.startswith("without_")}
    return {n: text for n, text in {**_MODELS, **alone, **left, **_GUARDS}.items() if n in figures}


def _chart(body: Mapping[str, Any]) -> str:
    rows = []
    for name, text in _names(body["figures"]).items():
        f = body["figures"][name]
        low, high = f.get("balanced_accuracy_95") or (None, None)
        rows.append(Bar(text, f["balanced_accuracy"], low, high, name in _GUARDS))
    ceiling = (body["raters"] or {}).get("ceiling")
    return bars(rows, "Balanced accuracy of each row, with its 95 % interval over people", ceiling)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _span(value: float | None, interval: Sequence[float | None] | None) -> str:
    low, high = interval or (None, None)
    return _number(value) + (f" [{low:.3f}, {high:.3f}]" if low is not None and high is not None else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    cells = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in r) + "</tr>" for r in rows)
    return f'<div class="wide {kind}"><table><tr>' + "".join(f"<th>{h}</th>" for h in head) + f"</tr>{cells}</table></div>"


_MAIN = {
    "time_matched_auroc": "Time-matched AUROC", "brier": "Brier", "calibration_error_equal_shares": "Calibration error",
}  # fmt: skip
_MACRO = {
    "accuracy": "Overall A", "macro_recall": "Macro R (average A)", "macro_precision": "Macro P",
    "review_f1": "F1 = 2PR/(P+R)", "macro_f1": "Mean F1",
}  # fmt: skip


def _figures(figures: Mapping[str, Any]) -> str:
    rows = [(escape(text), figures[n]) for n, text in _names(figures).items()]
    main = [
        (
            text, _span(f["balanced_accuracy"], f.get("balanced_accuracy_95")), _span(f["auroc"], f.get("auroc_95")),
            *(_number(f.get(k)) for k in _MAIN),
        )
        for text, f in rows
    ]  # fmt: skip
    macro = [(text, *(_number(f.get(k)) for k in _MACRO)) for text, f in rows]
    return _table(("", "Balanced accuracy", "AUROC", *_MAIN.values()), main, "figures") + _table(
        ("", *_MACRO.values()), macro, "figures"
    )


def _nulls(body: Mapping[str, Any]) -> str:
    controls, items = body["controls"], []
    nulls = {"shuffled_labels": "trained on shuffled labels", "shifted_labels": "labels turned around in time"}
    for name, text in nulls.items():
        c = controls.get(name)
        if c:
            drawn = c["balanced_accuracy"]
            items.append(
                f"Fitted anew, {text}, {len(drawn)} times: balanced accuracy {c['mean']:.3f}, standard deviation "
                f"{c['sd']:.3f}, highest {c['max']:.3f} ({', '.join(f'{v:.2f}' for v in drawn)})."
            )
    c = controls["shifted_against_answers"]
    items.append(
        f"The model's answers against labels turned around in time, {c['turns']} times: {_number(c['mean'])}, standard "
        f"deviation {_number(c['sd'])}, highest {_number(c['max'])}; p = {c['p']:.3f}."
    )
    r2 = controls["time_leak_r2"]
    if r2 is not None:
        items.append(f"An unseen person's time since the start, told from the model's inputs in calm windows: R² {r2:.3f}.")
    items += [f"Not defined: {escape(text)}." for text in body["undefined"]]
    return "<ul>" + "".join(f"<li>{i}</li>" for i in items) + "</ul>"


def _people(body: Mapping[str, Any]) -> list[str]:
    worst = body["worst"]
    told = [(p["subject"], p["balanced_accuracy"]) for p in body["people"] if p["balanced_accuracy"] is not None]
    told.sort(key=lambda p: (p[1], p[0]))
    out = [dots(told, "Balanced accuracy of each person, worst first; the dashed line is the median", worst["median"])]
    out.append(
        f"<p>Median {_number(worst['median'])}, worst tenth {_number(worst['worst_tenth'])}, worst person "
        f"{escape(str(worst['subject']))} {_number(worst['balanced_accuracy'])}.</p>"
    )
    rows = [
        (
            escape(p["subject"]), str(p["windows"]), str(p["unlabelled"]), str(p["unanswered"]), _number(p["share"]),
            *(_number(p[k]) for k in ("balanced_accuracy", "auroc", "macro_f1", "accuracy")),
        )
        for p in body["people"][:_MOST]
    ]
    decided = escape(body["decision"])
    head = (
        "Person", "Windows", "Without a label", "No answer", f"Share of {decided}", "Balanced accuracy", "AUROC", "Macro F1",
        "Accuracy",
    )
    rest = len(body["people"]) - len(rows)
    return [*out, _table(head, rows, "figures"), f"<p>And {rest} more, in the JSON.</p>" if rest > 0 else ""]


def _calibration(body: Mapping[str, Any]) -> list[str]:
    c, risk = body["calibration"], body["risk_coverage"]
    pooled = c["pooled"]
    said = [(b["said"], b["was"]) for b in c["bins"]]
    chart = curves(
        [Series("the model", said, marks=True), Series("perfect", [(0.0, 0.0), (1.0, 1.0)], dashed=True)],
        "How often it was so against the probability that was said", ("said", "was"),
    )  # fmt: skip
    points = [(p["coverage"], p["error"]) for p in risk["curve"]]
    top = max([0.1, *(b for _, b in points)])
    cover = curves([Series("the model", points)], "Error among the answered against the share answered",
                   ("share of windows answered, surest first", "error"), top=top)  # fmt: skip
    text = (
        f"<p>Expected calibration error {_number(pooled['error'])}; a perfectly calibrated model would show "
        f"{_number(pooled['floor'])} on as many windows (95 % below {_number(pooled['floor_95'])}). Person by person "
        f"{_number(c['person_mean'])}, where a perfect one would show {_number(c['person_mean_floor'])}: most of an error "
        f"on few windows is chance. Classes at equal shares. Area under risk–coverage {_number(risk['aurc'])}.</p>"
    )
    rows = [(f"{100 * a['coverage']:.0f} %", _number(a["error"]), _number(a["balanced_accuracy"])) for a in risk["at"]]
    return [f'<div class="side">{chart}{cover}</div>', text, _table(("Answered", "Error", "Balanced accuracy"), rows)]


def _missing(body: Mapping[str, Any]) -> list[str]:
    m = body["missing"]
    if m is None:
        return ["<p>Not measured.</p>"]
    series = [Series("the model", list(zip(m["share_missing"], m["model"], strict=True)), marks=True)]
    text = f"Relative robustness {_number(m['relative_robustness'])}"
    if "late_fusion" in m:
        series.append(Series("plain late fusion", list(zip(m["share_missing"], m["late_fusion"], strict=True)), dashed=True))
        text += (
            f" (plain late fusion {_number(m['late_fusion_relative_robustness'])}), effective robustness "
            f"{m['effective_robustness']:+.3f}"
        )
    chart = curves(series, "Balanced accuracy against the share of modalities that are missing",
                   ("share missing, in stretches of five minutes", "balanced accuracy"), bottom=0.4)  # fmt: skip
    note = "Every scored window counts, also one about which nothing is known. Definitions: Liang 2021 (MultiBench)."
    return [chart, f"<p>{text}. {note}</p>"]


def _calm(body: Mapping[str, Any]) -> list[str]:
    c = body["calm_only"]
    if c is None or c["false_positives"] is None:
        return ["<p>The target has no rest: not measured.</p>"]
    return [
        f"<p>Had nothing happened after the calibration: {100 * c['false_positives']:.1f} % of {c['windows']} calm "
        f"windows are taken for something else; worst person {escape(str(c['worst']))}, "
        f"{100 * c['worst_false_positives']:.0f} %.</p>"
    ]


def _compared(body: Mapping[str, Any]) -> str:
    names = {**_names(body["figures"]), "against": escape(str(body.get("against", {}).get("file", "")))}
    other = [{"first": "rest", "second": "against", **body["against"]}] if "against" in body else []
    rows = [
        (
            f"{escape(names.get(c['first'], c['first']))} over {escape(names.get(c['second'], c['second']))}",
            f"{c['balanced_accuracy']:+.3f} [{c['balanced_accuracy_95'][0]:+.3f}, {c['balanced_accuracy_95'][1]:+.3f}]",
            f"{c['better_for']} of {c['people']}", str(c["windows"]),
        )
        for c in [*other, *body["steps"], *body["families"], *body["comparisons"]]
        if c["balanced_accuracy_95"][0] is not None
    ]  # fmt: skip
    return _table(("Balanced accuracy, paired over people", "Difference", "Better for", "Windows"), rows, "figures")


def _groups(body: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            f"{escape(kind)}: {escape(value)}", str(g["people"]), str(g["windows"]), _number(g["balanced_accuracy"]),
            _number(g["auroc"]),
        )
        for kind, values in body["groups"].items()
        for value, g in values.items()
    ]
    return ["<h2>Groups</h2>", _table(("", "People", "Windows", "Balanced accuracy", "AUROC"), rows)] if rows else []


def _raters(body: Mapping[str, Any]) -> list[str]:
    r = body["raters"]
    if r is None:
        return []
    kappa = "" if r["fleiss_kappa"] is None else f", Fleiss' κ {r['fleiss_kappa']:.3f}"
    pairs = "" if r["pairwise_agreement"] is None else f"; two raters agree on {100 * r['pairwise_agreement']:.1f} %{kappa}"
    return [
        "<h2>Raters</h2>",
        f"<p>{r['windows']} windows have more than one opinion, {100 * (r['unanimous'] or 0):.1f} % of them one and the "
        f"same{pairs}. A rater drawn at random has balanced accuracy {_number(r['ceiling'])} against the label: nothing "
        "above that line in the chart can be asked of a model.</p>",
    ]


def _explained(body: Mapping[str, Any]) -> list[str]:
    p = body["protocol"]
    choices = "; ".join(
        f"{n} {', '.join(f'{v} ({k} times)' for v, k in c.items())}" for n, c in body["chosen"].items() if len(c) > 1
    )
    items = [
        f"A window has a label when one covers at least {100 * p['purity']:.0f} % of it; windows without an answer are "
        "counted, not scored.",
        "Everything that learns is fitted on the learning side of each split; inner choices on groups of its people"
        + (f"; where the splits chose differently: {escape(choices)}." if choices else "."),
        f"Order randomised: calibration first, the rest cut into label-pure pieces of at most "
        f"{p['order_randomised_piece_s'] / 60:g} min and shuffled, {p['order_randomised_timelines']} timelines a person, "
        "everything that runs along computed anew.",
        f"Intervals: {p['bootstraps']} bootstraps that draw people. Seed {p['seed']}.",
    ]
    rows = [(escape(n), escape(m["formula"]), escape(m["source"])) for n, m in body["metrics"].items()]
    notice = body["data"].get("notice")
    return [
        "<ul>" + "".join(f"<li>{i}</li>" for i in items) + "</ul>", _table(("Figure", "Formula", "Source"), rows),
        f'<p class="note">Data: {escape(notice)}.</p>' if notice else "",
    ]
