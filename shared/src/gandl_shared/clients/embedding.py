"""A client of the embedding service. It sends tiles and receives vectors as `.npy`."""

from __future__ import annotations

from functools import cached_property
from typing import Self
from urllib.parse import quote

import httpx
import numpy as np
from numpy.typing import NDArray

from gandl_shared.clients.http import HttpClient, Retry
from gandl_shared.clients.wire import MODEL_ID, NPY, NUMERICS, ModelInfo, ModelList, from_npy, to_npy
from gandl_shared.errors import Conflict, GandlError, Invalid, NotFound
from gandl_shared.models import ModelCard
from gandl_shared.models.numerics import Numerics, kind_of_code

Uint8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]


class EmbeddingClient:
    """One model of an embedding service; implements `gandl_shared.models.Embedder`.

    For `model` None it uses the service's default model, which it looks up once. `batch` is the number of tiles per
    request.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        timeout: float = 120.0,
        retry: Retry | None = None,
        batch: int = 256,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = HttpClient(
            base_url=base_url, api_key=api_key, timeout=timeout, retry=retry or Retry(), transport=transport
        )
        self._model = model
        self._batch = batch
        self._codes: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def models(self) -> tuple[ModelInfo, ...]:
        """Return all models of the service. Raises Unavailable, Unauthorized."""
        return ModelList.model_validate_json(self._http.request("GET", "/models").content).models

    @cached_property
    def info(self) -> ModelInfo:
        """The model this client uses. Raises NotFound, Unavailable, Unauthorized."""
        if self._model is not None:
            answer = self._http.request("GET", f"/models/{quote(self._model, safe='')}")
            return ModelInfo.model_validate_json(answer.content)
        default = [info for info in self.models() if info.default]
        if not default:
            raise NotFound("the embedding service has no default model; name the model to use")
        return default[0]

    def forget(self) -> None:
        """Ask the service about its model again before the next use."""
        self.__dict__.pop("info", None)
        self._codes.clear()

    @property
    def card(self) -> ModelCard:
        """The card of the model."""
        return self.info.card

    @property
    def model_id(self) -> str:
        """SHA-256 of the model file, hex."""
        return self.info.id

    @property
    def numerics(self) -> Numerics:
        """How the service computed the vectors of the last call, or, before any, what it states.

        Behind one address there may be servers on several kinds of processors; then all of them are named.
        """
        return Numerics.of_codes(self._codes) if self._codes else self._stated

    @property
    def _stated(self) -> Numerics:
        if self.info.numerics is not None:
            return self.info.numerics
        # A service of an earlier version has no more than the name of its provider.
        provider = self.info.provider.removesuffix("ExecutionProvider")
        return Numerics(provider=provider, precision=self.card.precision, device="", runtime="", batch="")

    def embed(self, tiles: Uint8) -> Float32:
        """Return the vectors [N, features] of tiles [N, C, size, size].

        Raises Invalid if the tiles do not fit the model, Conflict if the service has changed its model since this
        client first used it, or computes in another way (such vectors must not be mixed), and what
        `HttpClient.request` raises.
        """
        self._codes.clear()
        card = self.card
        expected = (len(card.channels), card.size, card.size)
        # The service would treat another type or size as raw fields and map their intensities again.
        if tiles.dtype != np.uint8 or tiles.shape[1:] != expected:
            raise Invalid(
                f"{card.name} takes uint8 tiles [N, *{expected}]; the array is {tiles.dtype} {list(tiles.shape)}"
            )
        parts = [self._embed(tiles[i : i + self._batch]) for i in range(0, len(tiles), self._batch)]
        return np.concatenate(parts) if parts else np.empty((0, card.features), np.float32)

    def _embed(self, tiles: Uint8) -> Float32:
        answer = self._http.request(
            "POST",
            "/embed",
            params={"model": self.info.name},
            headers={"Content-Type": NPY, "Accept": NPY},
            content=to_npy(tiles),
        )
        # The service may have been restarted with another file under the same name.
        if answer.headers.get(MODEL_ID) != self.model_id:
            raise Conflict(f"the embedding service now has another model under the name {self.info.name}")
        self._check_kind(answer.headers.get(NUMERICS, self._stated.code))
        vectors: Float32 = from_npy(answer.content)
        if vectors.dtype != np.float32 or vectors.shape != (len(tiles), self.card.features):
            raise GandlError(
                f"the embedding service answered {vectors.dtype} {list(vectors.shape)} to {len(tiles)} tiles"
            )
        return vectors

    def _check_kind(self, code: str) -> None:
        """Remember how an answer was computed. Raises Conflict where that is not what the service stated."""
        kind = kind_of_code(code)
        if kind != self._stated.kind:
            raise Conflict(
                f"the embedding service computed with {kind}, although it had stated {self._stated.kind}; run "
                "servers of one device and precision behind one address"
            )
        self._codes.add(code)
