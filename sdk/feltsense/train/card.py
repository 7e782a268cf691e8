"""The model card: what the model is, where it comes from, what it is worth, and what it must not be used for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feltsense.core.utterance import REST_UTTERANCES, WHOLE
from feltsense.train.examples import HOP_S
from feltsense.train.tasks import task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.bundle.schema import Model
    from feltsense.train.tasks import Task

__all__ = ["card"]

_ARMS = {
    "rest": "calibrated on 270 s of rest",
    "raw": "model without calibration",
    "rest_model_without_profile": "this model, person not calibrated",
    "order_randomised": "calibrated, order of tasks randomised",
    "time_only": "guard: nothing but the time since start",
    "majority": "guard: always the commonest class",
}
_STEPS = {
    "step_raw": "nobody known", "step_rest": "rest known", "step_adaptive": "the person's own past",
    "step_smoothed": "smoothed", "rest": "the model", "family_linear": "linear experts", "family_neural": "neural experts",
    "family_trees": "gradient-boosted experts",
}  # fmt: skip


def card(model: Model, evaluation: Mapping[str, Any] | None = None) -> str:
    """Markdown of a model's card.

    Parameters
    ----------
    model : Model
        The model.
    evaluation : mapping, optional
        What ``feltsense evaluate`` wrote as JSON, for the figures.
    """
    t = model.training
    caution = float(t.get("caution", 0.0))
    lines = [
        f"# {model.target}: {' against '.join(model.classes)}",
        "",
        f"Late fusion of {len(model.members)} experts on {', '.join(model.modalities)}: "
        + ", ".join(f"{model.inputs[m.columns[0]].partition('.')[0]} {m.expert.kind}" for m in model.members) + ".",
        f"{_windows(model)} The label is the most probable class. Probabilities mean \"if all classes were equally likely\""
        + (f", lowered by {caution:.2f} logits, so that people who stay calm have few false alarms." if caution else "."),
        "",
        "## Training data",
        f"{t.get('data', 'not stated')}: {len(t.get('subjects', []))} people ({', '.join(t.get('subjects', []))}), "
        f"{t.get('windows', 0)} labelled windows.",
    ]
    if t.get("setting"):
        lines += ["", f"Trained for: {t['setting']}, {t.get('purpose', 'research')}"
                  + (f"; answered for by {t['acknowledged']}." if t.get("acknowledged") else ".")]
    known = task(model.target)
    if known is not None:
        lines += ["", f"Task: {known.about} Judged by {', '.join(known.metrics)}." + _where(known)]
    if t.get("joint"):
        lines += ["", *_joint(t["joint"])]
    if t.get("notice"):
        lines += ["", f"Notice of the data: {t['notice']}."]
    lines += ["", "## Figures", *_figures(model, evaluation), "", "## Limits", *_limits(model)]
    return "\n".join(lines) + "\n"


def _windows(model: Model) -> str:
    """What a window is, and what it remembers."""
    if model.window_s == WHOLE:
        return (
            "Each recording is one window, an utterance, and stands alone: nothing is smoothed. A person may be "
            f"calibrated on {REST_UTTERANCES} neutral utterances; without them, utterances are placed among those of the "
            "training people."
        )
    further = " and ".join(f"{s:g}" for s in model.further_s)
    beside = f" (their last {further} s are looked at beside)" if further else ""
    return (
        f"Windows of {model.window_s:g} s{beside}, each placed among what the person has shown before (the training people "
        f"count as {model.adaptive.kappa:g} s of it), smoothed with a half-life of {model.half_life_s:g} s."
    )


def _where(known: Task) -> str:
    """What is said of a task that is meant for a place in which emotions may not be inferred."""
    if known.setting not in ("workplace", "education"):
        return ""
    where = "in a workplace" if known.setting == "workplace" else "in education"
    return (
        f" It is about what happens {where}; to infer emotions there is prohibited in the EU (AI Act, Article 5(1)(f)) "
        "except for medical or safety reasons."
    )


def _joint(notes: Mapping[str, Any]) -> list[str]:
    """What the cross-modal network was worth, kept or not."""

    def span(gain: Mapping[str, Any]) -> str:
        return f"{gain['mean']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]"

    kept = "kept" if notes["kept"] else "left out, since people do not surely gain from it"
    out = [
        f"Joint part (cross-modal attention, {notes['aggregate']}): {kept}. Gain in log-loss out of fold, paired over "
        f"{notes['gain']['people']} people, 95 %: {span(notes['gain'])}."
    ]
    for name, gain in notes.get("imagined", {}).items():
        used = "imagined where it is missing" if gain["low"] > 0.0 else "left out where it is missing"
        out.append(f"- {name}: {used}; gain of imagining it over leaving it out {span(gain)}.")
    return out


def _figures(model: Model, evaluation: Mapping[str, Any] | None) -> list[str]:
    if evaluation is None:
        return ["Not scored yet: feltsense evaluate."]
    out = [
        f"Leave one person out; {_scored(model)}; the rest that people are calibrated on is scored in no row. "
        "Brackets: 95 % bootstrap over people.",
        "",
        "| | balanced accuracy | AUROC | time-matched AUROC |",
        "|---|---|---|---|",
    ]
    calibrated = {"rest": f"calibrated on {REST_UTTERANCES} neutral utterances"} if model.window_s == WHOLE else {}
    names = {**_ARMS, **calibrated, **{f"{m}_alone": f"calibrated, {m} alone" for m in model.modalities}}
    for arm, text in names.items():
        f = evaluation["figures"].get(arm)
        if f is None:
            continue
        low, high = f.get("balanced_accuracy_95") or (None, None)
        span = f" [{low:.3f}, {high:.3f}]" if low is not None else ""
        matched = f.get("time_matched_auroc")
        last = "" if matched is None else f"{matched:.3f}"
        out.append(f"| {text} | {f['balanced_accuracy']:.3f}{span} | {f['auroc']:.3f} | {last} |")
    rest = evaluation["figures"].get("rest")
    if rest:
        error = rest["calibration_error_equal_shares"]
        out += ["", f"Calibration error of the calibrated row, classes at equal shares: {error:.3f}."]
    out += [*_gains(evaluation), *_choices(evaluation)]
    calm = evaluation.get("calm_only") or {}
    if calm.get("false_positives") is not None:
        share = f"{calm['false_positives']:.0%}"
        out += ["", f"Of the windows of people who stay calm after their calibration, {share} are false alarms."]
    return out


def _gains(evaluation: Mapping[str, Any]) -> list[str]:
    """What each step adds, and the model over each family of experts alone."""
    pairs = [*evaluation.get("steps", ()), *evaluation.get("families", ())]
    if not pairs:
        return []
    out = [
        "", "Each step, and the model over each family of experts alone: difference in balanced accuracy, paired over",
        "people, each side with its own decision at the same bound on calm people's false alarms.", "",
        "| | gain | better for |",
        "|---|---|---|",
    ]  # fmt: skip
    for p in pairs:
        low, high = p["balanced_accuracy_95"]
        names = f"{_STEPS.get(p['first'], p['first'])} over {_STEPS.get(p['second'], p['second'])}"
        gain = f"{p['balanced_accuracy']:+.3f} [{low:+.3f}, {high:+.3f}]"
        out.append(f"| {names} | {gain} | {p['better_for']} of {p['people']} |")
    return out


def _choices(evaluation: Mapping[str, Any]) -> list[str]:
    """Constants that the inner folds of each outer fold chose."""
    chosen = evaluation.get("chosen") or {}
    if not chosen:
        return []
    out = ["", "Constants chosen by the inner folds of each outer fold (value: how many of the outer folds):", ""]
    return out + [f"- {n}: {', '.join(f'{v}: {k}' for v, k in c.items())}" for n, c in chosen.items()]


def _scored(model: Model) -> str:
    return "whole utterances" if model.window_s == WHOLE else f"windows of {model.window_s:g} s every {HOP_S:g} s"


def _limits(model: Model) -> list[str]:
    gone = "Skin temperature, motion and elapsed time are no evidence in it: they tell a protocol's clock."
    return [
        "- Not a medical device; not for decisions about a person's health, work or rights.",
        "- Laboratory data of few people: in daily life expect less, and many false alarms where stress is rare.",
        "- It does not know why a body is aroused: exercise, caffeine, heat, fever and joy look alike.",
        f"- {gone}",
        f"- A set lists every class with a probability of at least {model.plausible:.2f}; it is meant to hold the truth in "
        "90 % of the windows of 90 % of people like those it was trained on.",
    ]
