"""A model's graph run by onnxruntime's Android library, through pyjnius; never run on a phone by us.

Facts from the Java API's documentation (package ``ai.onnxruntime``, docs/app.md):

- there is one ``OrtEnvironment``; it makes an ``OrtSession`` from the graph's bytes;
- ``OnnxTensor.createTensor(environment, DoubleBuffer, long[])`` copies a buffer that is not direct;
- ``run`` takes a map of names and tensors and gives a ``Result``, in the order of ``getOutputNames``, which owns its tensors
  until it is closed; ``getDoubleBuffer`` copies, and gives none for another type.

Whether the library is in the build, and whether it answers as the numpy runner does, is found out when the model is loaded.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.bundle.run import fed, taken
from feltsense.errors import BundleError

if TYPE_CHECKING:
    from feltsense.bundle import Bundle, Inputs, Outputs

__all__ = ["JavaRunner", "fastest"]

STEP = 8
"""Of the rows that were made to break a model, every so many: a phone checks itself in a blink."""


class JavaRunner:
    """Evaluates a model's graph with onnxruntime's Java library, on one thread.

    Parameters
    ----------
    graph : bytes
        ``model.onnx``.

    Raises
    ------
    BundleError
        If the library is not in this build, or does not take the graph.
    """

    name = "onnxruntime for Android"

    def __init__(self, graph: bytes) -> None:
        try:
            from jnius import JavaException, autoclass, cast
        except ImportError:
            msg = "pyjnius is not in this build"
            raise BundleError(msg) from None
        self._fault: type[Exception] = JavaException
        self._cast, self._java = cast, autoclass
        try:
            self._tensor = autoclass("ai.onnxruntime.OnnxTensor")
            self._environment = autoclass("ai.onnxruntime.OrtEnvironment").getEnvironment()
            options = autoclass("ai.onnxruntime.OrtSession$SessionOptions")()
            # Batches are one window: threads would cost more than they give.
            options.setIntraOpNumThreads(1)
            options.setInterOpNumThreads(1)
            self._session = self._environment.createSession(bytearray(graph), options)
            self._inputs = [str(name) for name in self._session.getInputNames().toArray()]
            self._outputs = [str(name) for name in self._session.getOutputNames().toArray()]
        except self._fault as e:
            msg = f"onnxruntime's library is not in this build, or does not take the model: {e}"
            raise BundleError(msg) from e

    def run(self, inputs: Inputs) -> Outputs:
        """Evaluate rows.

        Raises
        ------
        BundleError
            If the library fails.
        """
        given, tensors, result = self._java("java.util.HashMap")(), [], None
        try:
            for name, values in fed(inputs, self._inputs, alike=True).items():
                tensors.append(self._given(values))
                given.put(name, tensors[-1])
            result = self._session.run(given)
            out = {name: self._got(result.get(k), name) for k, name in enumerate(self._outputs)}
        except self._fault as e:
            msg = f"onnxruntime's library failed: {e}"
            raise BundleError(msg) from e
        finally:
            for held in [*tensors, *([] if result is None else [result])]:
                held.close()
        return taken(inputs, out)

    def _given(self, values: np.ndarray[Any, Any]) -> Any:
        order = self._java("java.nio.ByteOrder").nativeOrder()
        numbers = self._java("java.nio.ByteBuffer").wrap(bytearray(values.tobytes())).order(order).asDoubleBuffer()
        # Its own class is not public; the method is chosen by the one that is.
        numbers = self._cast("java.nio.DoubleBuffer", numbers)
        return self._tensor.createTensor(self._environment, numbers, list(values.shape))

    def _got(self, value: Any, name: str) -> np.ndarray[Any, Any]:
        tensor = self._cast("ai.onnxruntime.OnnxTensor", value)
        numbers = tensor.getDoubleBuffer()
        if numbers is None:
            msg = f"the model's output {name} is not of 64-bit numbers"
            raise BundleError(msg)
        return np.array(numbers.array(), np.float64).reshape(list(tensor.getInfo().getShape()))


def fastest(bundle: Bundle) -> tuple[Bundle, str]:
    """The same model, run by the Java library where that is there and gives the numpy runner's answers.

    Parameters
    ----------
    bundle : Bundle
        As loaded, with any runner.

    Returns
    -------
    Bundle
        With the Java library's runner, or as it was.
    str
        Why it is as it was; empty otherwise.
    """
    from feltsense.bundle import archive
    from feltsense.bundle.parity import agreement

    try:
        runner = JavaRunner(archive.read(Path(bundle.path)).graph)
        found = agreement(bundle.model, runner, STEP)
    except BundleError as e:
        return bundle, str(e)
    if not found.passed():
        why = f"onnxruntime's library answers otherwise: {found.flips} labels flip, difference {found.difference:.2g}"
        return bundle, f"{why}, over {found.rows} rows"
    return replace(bundle, runner=runner), ""
