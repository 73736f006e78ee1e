"""`embeddings.parquet`: what each tile says of its well and image, and how its vectors were computed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gandl_analysis.formats.embeddings import HEADER_KEY, EmbeddingsHeader, read_embeddings, write_embeddings
from gandl_shared.errors import Invalid
from gandl_shared.plates import SiteId
from gandl_shared.schemas.quality import FailedSite, PlateImages
from gandl_shared.schemas.screen import ParkedSite, WellScore
from gandl_shared.schemas.vocabulary import ImageReason
from gandl_shared.store import Profiles
from gandl_shared.store.profiles import join_profiles, site_profiles
from gandl_shared.testing import fake_card

HEADER = EmbeddingsHeader(
    screen_name="screen 1",
    model_id="a" * 64,
    model=fake_card(features=2),
    limits={},
    limits_from="plate",
    parked=(ParkedSite(plate="P1", well="A02", site="1", error="truncated"),),
)


def well(name: str, **changes: object) -> WellScore:
    values: dict[str, object] = {
        "plate": "P1",
        "well": name,
        "role": "treatment",
        "compound": "X",
        "concentration_um": 0.5,
        "cell_line": "U2OS",
        "on": 1.0,
        "off": None,
        "efficacy": None,
        "n_tiles": 1,
    }
    return WellScore.model_validate({**values, **changes})


def profiles(*wells: str) -> Profiles:
    """One site of one tile per well, with two features."""
    sites = [site_profiles(SiteId("P1", name, "1"), [(0, 0)], "key", np.ones((1, 2), np.float32)) for name in wells]
    return join_profiles(sites)


def embeddings_parquet(*arguments: object, **named: object) -> bytes:
    buffer = io.BytesIO()
    write_embeddings(buffer, *arguments, **named)
    return buffer.getvalue()


def table(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content))


def test_each_tile_has_the_columns_of_its_well() -> None:
    wells = [well("A01"), well("B01", role="empty", compound=None, concentration_um=None)]
    rows = table(embeddings_parquet(wells, profiles("B01", "A01"))).to_pylist()
    assert [(r["Metadata_well"], r["Metadata_role"], r["Metadata_compound"]) for r in rows] == [
        ("B01", "empty", None),
        ("A01", "treatment", "X"),
    ]
    assert [r["Metadata_concentration_um"] for r in rows] == [None, 0.5]
    assert [r["gandl_000"] for r in rows] == [1.0, 1.0]


def test_a_tile_without_efficacy_is_null() -> None:
    content = embeddings_parquet([well("A01"), well("B01")], profiles("A01", "B01"), np.array([0.25, np.nan]))
    assert table(content)["Metadata_efficacy"].to_pylist() == [0.25, None]


def test_further_columns_of_the_plate_map_do_not_replace_gandls_own() -> None:
    wells = [well("A01", metadata={"batch": "early", "Metadata_role": "foreign"})]
    (row,) = table(embeddings_parquet(wells, profiles("A01"))).to_pylist()
    assert (row["Metadata_batch"], row["Metadata_role"]) == ("early", "treatment")


def test_image_problems_stand_beside_the_tiles_of_their_site() -> None:
    metrics = np.ones((2, 1), np.float32)
    measured = profiles("A01", "B01").__class__(
        **{**vars(profiles("A01", "B01")), "sharpness": metrics, "saturated": metrics, "structure": metrics}
    )
    failed = FailedSite(well="B01", site="1", reasons=(ImageReason.SATURATED, ImageReason.BLURRED), excluded=False)
    images = {"P1": PlateImages(sites=2, focus_judged=True, failed=(failed,))}
    content = embeddings_parquet([well("A01"), well("B01")], measured, images=images)
    assert table(content)["Metadata_image_qc"].to_pylist() == ["", "saturated;blurred"]


def test_the_header_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.parquet"
    path.write_bytes(embeddings_parquet([well("A01")], profiles("A01"), header=HEADER))
    read, header = read_embeddings(path)
    assert header == HEADER
    np.testing.assert_array_equal(read.vectors, [[1.0, 1.0]])


def test_the_number_of_features_must_be_that_of_the_model(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.parquet"
    header = HEADER.model_copy(update={"model": fake_card(features=3)})
    path.write_bytes(embeddings_parquet([well("A01")], profiles("A01"), header=header))
    with pytest.raises(Invalid, match="2 columns gandl_…, its model has 3 features"):
        read_embeddings(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello", "is not a Parquet file"),
        (embeddings_parquet([well("A01")], profiles("A01")), "does not say how its vectors were computed"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "embeddings.parquet"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=message):
        read_embeddings(path)


def test_a_header_of_another_form_is_refused_with_its_field(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.parquet"
    content = table(embeddings_parquet([well("A01")], profiles("A01"), header=HEADER))
    pq.write_table(content.replace_schema_metadata({HEADER_KEY: '{"screen_name": "screen 1"}'}), path)
    with pytest.raises(Invalid, match=r"form that this version does not know \(\('model_id',\)\)"):
        read_embeddings(path)
