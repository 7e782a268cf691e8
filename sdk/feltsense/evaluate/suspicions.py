"""What in the figures looks like a leak, in words: the report's first lines.

A suspicion is not a proof. Each names the control that raised it, so that a reader can look there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["suspicions"]

TOO_GOOD: Final = 0.85
"""Balanced accuracy above which stress from a wrist was a leaked clock in every case we know of."""
CLOCK_AUROC: Final = 0.7
"""AUROC of the clock from which on the protocol's order gives the labels away."""
CLOCK_LOST: Final = 0.12
"""AUROC that is lost among windows of the same minute: an honest model loses about .07 on a protocol with one order
(it is worse at the beginning of everybody's session), one that reads a clock loses .3 and more."""
TIME_R2: Final = 0.25
"""Plain running ranks, which we do not use for this reason, reach .16; a ramp among the inputs reaches 1."""
ORDER_LOST: Final = 0.08
"""Balanced accuracy that is lost when the order is randomised."""
MOTION_NEAR: Final = 0.02
"""Motion alone this close to the model: what is recognised may be who speaks or stands."""
NULL_ABOVE: Final = 0.62
"""Labels that mean nothing reach up to this by luck with twenty people; above it the pipeline itself leaks."""


def suspicions(figures: Mapping[str, Any], controls: Mapping[str, Any]) -> list[dict[str, str]]:
    """All that should be explained before the figure is believed."""
    rest = figures["rest"]
    ba, auroc = rest["balanced_accuracy"], rest["auroc"]
    out = []

    def say(control: str, text: str) -> None:
        out.append({"control": control, "text": text})

    clock = figures.get("time_only")
    fixed = clock is not None and clock["auroc"] > CLOCK_AUROC
    if fixed and clock is not None:
        say("time_only", f"the time since the start alone scores AUROC {clock['auroc']:.3f}: everyone did the same at the "
            "same minute, so what follows time can pass for recognition")  # fmt: skip
    matched = rest.get("time_matched_auroc")
    if fixed and matched is not None and auroc - matched > CLOCK_LOST:
        say("time_matched_auroc", f"among windows of the same minute AUROC falls from {auroc:.3f} to {matched:.3f}: the "
            "model reads a clock, or something that runs with time")  # fmt: skip
    r2 = controls.get("time_leak_r2")
    if r2 is not None and r2 > TIME_R2:
        say("time_leak_r2", f"the model's inputs tell an unseen person's time since the start (R² {r2:.2f}): a clock is "
            "among the features")  # fmt: skip
    shuffled = figures.get("order_randomised")
    if shuffled is not None and ba - shuffled["balanced_accuracy"] > ORDER_LOST:
        say("order_randomised", f"with the order of tasks randomised balanced accuracy falls from {ba:.3f} to "
            f"{shuffled['balanced_accuracy']:.3f}: the model counts on the order")  # fmt: skip
    if ba > TOO_GOOD:
        say("balanced_accuracy", f"balanced accuracy {ba:.3f} is higher than anything honest known: look for a leak first")
    motion = figures.get("motion_only")
    if motion is not None and motion["balanced_accuracy"] > max(ba - MOTION_NEAR, 0.6):
        say("motion_only", f"motion alone scores {motion['balanced_accuracy']:.3f}: tasks differ in posture or speech")
    for name in ("shuffled_labels", "shifted_labels"):
        value = controls.get(name, {}).get("mean")
        if value is not None and value > NULL_ABOVE:
            say(name, f"labels that mean nothing score {value:.3f}: something of the judged people reaches the training")
    return out
