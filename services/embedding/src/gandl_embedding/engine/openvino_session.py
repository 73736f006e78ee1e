"""The session of OpenVINO over the bytes of a model file, in bfloat16. No other module uses OpenVINO.

It is an optional extra. Its package reports its use to its maker where it can, and that part is never loaded.
"""

from __future__ import annotations

import sys
from threading import Lock
from typing import Any

import numpy as np
from gandl_shared.errors import InvalidModel, Unavailable
from numpy.typing import NDArray

from gandl_embedding.engine.devices import processor
from gandl_embedding.engine.onnx_session import joined
from gandl_embedding.engine.precision import Precision

OPENVINO = "OpenVINO"
_TELEMETRY = "openvino_telemetry"


class OpenVinoSession:
    """A model in bfloat16 on the processor. Threads that call it at the same time wait for each other."""

    provider = OPENVINO
    precision: str | None = Precision.BFLOAT16.value

    def __init__(self, data: bytes, name: str, threads: int | None = None) -> None:
        """Compile a model for `threads` cores (None: all).

        Raises Unavailable where OpenVINO is not installed or the processor has no bfloat16, InvalidModel where
        OpenVINO cannot run the model.
        """
        openvino = load_openvino()
        core = openvino.Core()
        check_bfloat16(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
        options = {"INFERENCE_PRECISION_HINT": "bf16", "PERFORMANCE_HINT": "LATENCY"}
        options |= {"INFERENCE_NUM_THREADS": str(threads)} if threads else {}
        try:
            compiled = core.compile_model(core.read_model(data), "CPU", options)
        except RuntimeError as error:
            raise InvalidModel(f"{name} cannot be run by OpenVINO: {str(error).splitlines()[-1]}") from error
        self.runtime = f"openvino {openvino.__version__.partition('-')[0]}"
        self._request = compiled.create_infer_request()
        self._lock = Lock()

    def run(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors of tiles as `OnnxSession.run` does."""
        with self._lock:
            outputs = self._request.infer({0: tiles})
            return joined([outputs[n].copy() for n in range(len(outputs))])


def load_openvino() -> Any:  # Any: the package has no types
    """Return the package without its telemetry. Raises Unavailable where it is not installed."""
    # Python takes None for a package that is not there, and OpenVINO then goes on without it.
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]
    try:
        import openvino  # noqa: PLC0415 - an optional package that loads slowly
    except ImportError as error:
        raise Unavailable(
            "bfloat16 needs a processor with AVX512_BF16 or AMX and the package openvino; where the processor has one "
            "of them, install the package with: pip install openvino"
        ) from error
    return openvino


def check_bfloat16(capabilities: list[str]) -> None:
    """Raise Unavailable unless `BF16` is among what OpenVINO says that the processor can do."""
    if "BF16" not in capabilities:
        # OpenVINO would compute in float32 without a word.
        raise Unavailable(
            f"this processor ({processor()}) has no bfloat16 arithmetic (AVX512_BF16 or AMX); leave the precision out, "
            "and the model computes in that of its file"
        )
