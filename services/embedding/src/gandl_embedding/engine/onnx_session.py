"""The session of ONNX Runtime over the bytes of a model file. No other module uses ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import onnxruntime as ort
from gandl_shared.errors import InvalidModel, Unavailable
from gandl_shared.models import ModelCard, card_from_metadata
from numpy.typing import NDArray

from gandl_embedding.engine.sized_sessions import SizedSessions

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
CARD_FORMAT = 1
MAX_SIZED_BYTES = 2**28
"""A larger model has one session on a GPU for runs of all sizes, because each session holds the weights."""
_OPTIONS: Mapping[str, Mapping[str, str]] = {
    # Full float32 precision, and algorithms selected by rule instead of by timing, give the same vector in every run.
    CUDA: {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
}


class OnnxSession:
    """A model in ONNX Runtime, on `threads` CPU cores (None: all), with the first available one of the `preferred`
    providers. Several threads may call it.

    Raises InvalidModel where the model cannot be run, and Unavailable where no provider works here.
    """

    precision: str | None = None
    runtime = f"onnxruntime {ort.__version__}"

    def __init__(self, data: bytes, name: str, threads: int | None, preferred: Sequence[str]) -> None:
        self._session = _open(data, name, threads, preferred)
        self._input: str = self._session.get_inputs()[0].name
        self.provider: str = self._session.get_providers()[0]

    def card(self, name: str) -> ModelCard:
        """Return the card in the model. Raises InvalidModel for none, or one that differs from the graph."""
        card = card_from_metadata(self._session.get_modelmeta().custom_metadata_map, file=name)
        _check_graph(self._session, card, name)
        return card

    def run(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors [N, features] of tiles [N, C, size, size], with their novelty as a further column if the
        model has one."""
        return joined(self._session.run(None, {self._input: tiles}))


def open_session(
    data: bytes, name: str, threads: int | None, preferred: Sequence[str]
) -> tuple[OnnxSession | SizedSessions, ModelCard]:
    """Return what runs a model, with sessions for runs of each size on a GPU, and its card. Raises as `OnnxSession`."""
    session = OnnxSession(data, name, threads, preferred)
    card = session.card(name)
    if session.provider != CUDA or len(data) > MAX_SIZED_BYTES:
        return session, card
    return SizedSessions(session, partial(OnnxSession, data, name, threads, preferred)), card


def joined(outputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the outputs of a model side by side, [N, features] or [N, features + 1]."""
    return outputs[0] if len(outputs) == 1 else np.column_stack(outputs)


def _open(data: bytes, name: str, threads: int | None, preferred: Sequence[str]) -> ort.InferenceSession:
    present = [provider for provider in preferred if provider in ort.get_available_providers()]
    if not present:
        raise Unavailable(f"ONNX Runtime has none of {', '.join(preferred)} here; install the extra that brings it")
    providers = [(provider, dict(_OPTIONS.get(provider, {}))) for provider in present]
    try:
        session = ort.InferenceSession(data, _session_options(threads), providers=providers)
    except Exception as error:
        # The classes of ONNX Runtime's errors have no common root.
        raise InvalidModel(f"{name} is not an ONNX model that can be run: {_reason(error)}") from error
    # Without a driver, ONNX Runtime only warns and goes on slowly.
    if session.get_providers()[0] != present[0]:
        raise Unavailable(
            f"{present[0]} is installed but does not start here; ONNX Runtime fell back to {session.get_providers()[0]}"
            "; give the machine or the container a GPU with its driver, or choose the device cpu"
        )
    return session


def _session_options(threads: int | None) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = True
    # Idle threads must not occupy the cores that decode the next images.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # ONNX Runtime's own format is refused, because `check_self_contained` reads only ONNX.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    return options


def _check_graph(session: ort.InferenceSession, card: ModelCard, name: str) -> None:
    """Raise InvalidModel if the graph differs from the card: one uint8 input and one float output, both with a free
    batch, and an output `novelty` where the card has its scale."""
    if card.format != CARD_FORMAT:
        raise InvalidModel(f"{name} has a card of format {card.format}; this gandl reads format {CARD_FORMAT}")
    inputs, outputs = session.get_inputs(), session.get_outputs()
    has_novelty = [(node.name, node.type, len(node.shape)) for node in outputs[1:]] == [("novelty", "tensor(float)", 1)]
    if has_novelty != (card.novelty is not None):
        raise InvalidModel(f"{name}: the output `novelty` and its scale on the card belong together; export it again")
    if len(inputs) != 1 or len(outputs) != 1 + has_novelty:
        raise InvalidModel(f"{name} has {len(inputs)} inputs and {len(outputs)} outputs; a featurizer has one of each")
    expected_in = ("tensor(uint8)", [len(card.channels), card.size, card.size])
    expected_out = ("tensor(float)", [card.features])
    for node, (kind, shape) in zip((inputs[0], outputs[0]), (expected_in, expected_out), strict=True):
        if node.type != kind or list(node.shape)[1:] != shape or isinstance(node.shape[0], int):
            expected = f"{kind} {['N', *shape]}"
            raise InvalidModel(f"{name}: {node.name} is {node.type} {list(node.shape)}, but its card says {expected}")


def _reason(error: Exception) -> str:
    """Return ONNX Runtime's message without its head, such as `[ONNXRuntimeError] : 7 : INVALID_PROTOBUF :`."""
    return str(error).rsplit(" : ", 1)[-1].splitlines()[0]
