"""A `jnius` with what the app uses of onnxruntime's Java library: classes, types, order; it computes with Python's."""

import sys
import types
from dataclasses import dataclass, field

import numpy as np
import onnxruntime


class JavaException(Exception):  # noqa: N818 (pyjnius' name)
    pass


@dataclass
class Buffer:
    """java.nio's, of bytes or of doubles."""

    data: bytes
    doubles: bool = False
    ordered: bool = False
    public: bool = False

    def order(self, order):
        assert order == "native"
        self.ordered = True
        return self

    def asDoubleBuffer(self):
        assert self.ordered, "a buffer is big-endian until told otherwise"
        return Buffer(self.data, doubles=True)

    def array(self):
        assert self.doubles
        return np.frombuffer(self.data, np.float64).tolist()


@dataclass
class Tensor:
    values: np.ndarray
    java: "Java"
    public: bool = False

    def getDoubleBuffer(self):
        assert self.public, "an OnnxValue has no getDoubleBuffer"
        return None if self.java.fault == "type" else Buffer(self.values.tobytes(), doubles=True)

    def getInfo(self):
        return types.SimpleNamespace(getShape=lambda: list(self.values.shape))

    def close(self):
        self.java.open -= 1


@dataclass
class Names:
    names: list

    def toArray(self):
        return list(self.names)


@dataclass
class Java:
    """What is loaded; `fault`: absent, graph, run, type, or wrong answers."""

    fault: str = ""
    open: int = 0
    threads: list = field(default_factory=list)

    def autoclass(self, name):
        if self.fault == "absent" and name.startswith("ai.onnxruntime"):
            raise JavaException(f"Class not found {name}")
        return {
            "ai.onnxruntime.OnnxTensor": types.SimpleNamespace(createTensor=self.tensor),
            "ai.onnxruntime.OrtEnvironment": types.SimpleNamespace(getEnvironment=lambda: self),
            "ai.onnxruntime.OrtSession$SessionOptions": lambda: self,
            "java.util.HashMap": lambda: Map({}),
            "java.nio.ByteOrder": types.SimpleNamespace(nativeOrder=lambda: "native"),
            "java.nio.ByteBuffer": types.SimpleNamespace(wrap=wrap),
        }[name]

    def cast(self, name, thing):
        assert {"java.nio.DoubleBuffer": Buffer, "ai.onnxruntime.OnnxTensor": Tensor}[name] is type(thing)
        thing.public = True
        return thing

    def setIntraOpNumThreads(self, n):
        self.threads.append(n)

    setInterOpNumThreads = setIntraOpNumThreads  # noqa: N815

    def createSession(self, graph, options):
        assert type(graph) is bytearray
        assert options is self
        if self.fault == "graph":
            raise JavaException("ai.onnxruntime.OrtException: ORT_INVALID_GRAPH")
        return Session(self, onnxruntime.InferenceSession(bytes(graph)))

    def tensor(self, environment, numbers, shape):
        assert environment is self
        assert numbers.doubles
        assert numbers.public
        assert all(type(n) is int for n in shape)
        self.open += 1
        return Tensor(np.frombuffer(numbers.data, np.float64).reshape(shape), self)


def wrap(data):
    assert type(data) is bytearray
    return Buffer(bytes(data))


@dataclass
class Map:
    held: dict

    def put(self, key, value):
        self.held[key] = value


@dataclass
class Session:
    java: Java
    real: onnxruntime.InferenceSession

    def getInputNames(self):
        return Names([x.name for x in self.real.get_inputs()])

    def getOutputNames(self):
        return Names([x.name for x in self.real.get_outputs()])

    def run(self, given):
        if self.java.fault == "run":
            raise JavaException("ai.onnxruntime.OrtException: out of memory")
        values = self.real.run(None, {name: tensor.values for name, tensor in given.held.items()})
        if self.java.fault == "wrong":
            values = [v + 1e-3 for v in values]
        self.java.open += 1
        return types.SimpleNamespace(
            get=lambda k: Tensor(values[k], self.java), close=lambda: Tensor(values[0], self.java).close()
        )


def installed(monkeypatch, fault=""):
    """Put it where the app looks for it."""
    java = Java(fault)
    module = types.ModuleType("jnius")
    module.JavaException, module.autoclass, module.cast = JavaException, java.autoclass, java.cast
    monkeypatch.setitem(sys.modules, "jnius", module)
    return java
