"""The query parameters of `POST /embed`."""

from __future__ import annotations

from typing import Annotated

from gandl_shared.clients.wire import Encoding, Pool, Precision
from gandl_shared.web.query import QueryModel
from pydantic import Field

from gandl_embedding.service import EmbedOptions


class EmbedQuery(QueryModel):
    """The query parameters of `POST /embed`."""

    model: str | None = Field(default=None, description="name of a model; the default one if absent")
    pool: Pool = Field(default=Pool.TILES, description="one vector per tile, or the mean of each image's tiles")
    low: list[Annotated[float, Field(allow_inf_nan=False)]] | None = Field(
        default=None, description="raw intensity that becomes 0; repeat, one per channel"
    )
    high: list[Annotated[float, Field(allow_inf_nan=False)]] | None = Field(
        default=None, description="raw intensity that becomes 255; repeat, one per channel"
    )
    allow_clipping: bool = Field(
        default=False, description="true: use the limits of the card even where they do not fit the images"
    )
    keep_going: bool = Field(
        default=False,
        description="true: an image that cannot be used does not fail the others; `images` tells its error, and it has "
        "no rows",
    )
    channels: list[str] | None = Field(
        default=None,
        description="names of the channels in the order in which they are sent; repeat, one per channel of the model",
    )
    novelty: bool = Field(
        default=False,
        description="true: how far each row is from what the model was trained on (JSON and Parquet; models with a "
        "scale of novelty on their cards)",
    )
    encoding: Encoding = Field(default=Encoding.NUMBERS, description="how JSON holds the vectors")
    dtype: Precision = Field(default=Precision.FLOAT32, description="numbers of `.npy` and base64 answers")

    @property
    def options(self) -> EmbedOptions:
        """The options of the service."""
        return EmbedOptions(
            model=self.model,
            pool=self.pool,
            low=tuple(self.low or ()),
            high=tuple(self.high or ()),
            allow_clipping=self.allow_clipping,
            keep_going=self.keep_going,
            channels=tuple(self.channels or ()),
            novelty=self.novelty,
        )
