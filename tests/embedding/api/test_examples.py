"""Every example of the specification is what its schema says, and a request of it is read."""

from __future__ import annotations

import json

import numpy as np
from gandl_embedding.api import examples
from gandl_embedding.api.open_inference import InferenceResponse
from gandl_embedding.api.tensors import tensor_of_request
from gandl_shared.clients.wire import Embeddings, ModelInfo, Pool


def test_answers_fit_their_schemas() -> None:
    for example in examples.EMBEDDINGS.values():
        answer = Embeddings.model_validate(example["value"])
        rows = (image.tiles if answer.pool is Pool.TILES else image.tiles > 0 for image in answer.images)
        assert sum(rows) == len(answer.vectors)
    assert ModelInfo.model_validate(examples.MODEL).card.features == 512
    assert InferenceResponse.model_validate(examples.INFERENCE).outputs[0].shape == (1, 3)


def test_the_request_of_the_protocol_is_read() -> None:
    request = tensor_of_request(json.dumps(examples.INFERENCE_REQUEST).encode(), None)
    np.testing.assert_array_equal(request.array, np.uint16([[[[120, 800]], [[310, 4100]]]]))
