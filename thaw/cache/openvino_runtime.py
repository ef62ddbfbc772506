"""OpenVINO as the runtime of the frozen part, on CPUs."""

import functools
import queue
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import openvino

from thaw.cache.runtime import BFLOAT16
from thaw.cache.side_by_side import AT_A_TIME
from thaw.device import num_processors

_HINTS = {True: "bf16", False: "f32"}


@functools.cache
def core() -> openvino.Core:
    """Returns the one `Core` of this process, which is never taken down.

    Each sets a signal stack of its own for its thread, and puts back the one
    before at its end. Of two that end in the order in which they began, the
    second puts back what was freed: the next signal is a segmentation fault.
    """
    return openvino.Core()


def has_bfloat16() -> bool:
    """Returns whether this processor computes in bfloat16."""
    names = core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "BF16" in names


def compile_function(function, precision: str) -> Callable:
    """Returns a function of `frozen_graph.make_function`, run by OpenVINO.

    Args:
        function: `ConcreteFunction` with constants.
        precision: `float32` or `bfloat16`.

    Returns:
        Function from tensors to a list of arrays, float32.
    """
    with tempfile.TemporaryDirectory(prefix="thaw-") as folder:
        path = Path(folder, "frozen.pb")
        path.write_bytes(function.graph.as_graph_def().SerializeToString())
        # openvino.convert_model() does the same, and sends statistics.
        model = core().read_model(path)
    compiled = core().compile_model(
        model,
        "CPU",
        {
            # Without a hint it computes in bfloat16 wherever it can.
            "INFERENCE_PRECISION_HINT": _HINTS[precision == BFLOAT16],
            "INFERENCE_NUM_THREADS": num_processors(),
            "NUM_STREAMS": min(AT_A_TIME, num_processors()),
            "ENABLE_CPU_PINNING": False,  # photos are decoded meanwhile
        },
    )
    requests = queue.SimpleQueue()  # one for each batch at a time
    for _ in range(AT_A_TIME):
        requests.put(compiled.create_infer_request())
    inputs = [compiled.input(x.name) for x in function.inputs]
    outputs = [compiled.output(x.name) for x in function.outputs]
    # In the first call of a process pybind11 looks up NumPy's functions. Two
    # threads that do so at the same time wait for each other forever.
    zeros = {x: np.zeros(x.shape, "float32") for x in inputs}
    compiled.create_infer_request().infer(zeros)

    def compute(*tensors: Sequence) -> list[np.ndarray]:
        arrays = map(np.asarray, tensors)
        request = requests.get()
        try:
            found = request.infer(
                dict(zip(inputs, arrays, strict=True)), share_inputs=True
            )
        finally:
            requests.put(request)
        return [found[output] for output in outputs]

    return compute
