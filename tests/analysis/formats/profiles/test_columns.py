"""Features are recognised by their names, and a table that allows two readings is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources

import pytest
from gandl_analysis.formats.profiles.columns import BLOCKLIST, choose_columns
from gandl_analysis.formats.profiles.sources.source import Block, Kind, RowTexts
from gandl_shared.errors import InvalidTable


@dataclass
class Names:
    """A source that has columns and nothing in them."""

    kinds: dict[str, Kind]
    file: str = "t.csv"
    features: tuple[str, ...] | None = None
    notes: tuple[str, ...] = field(default=())

    def texts(self, names: Sequence[str]) -> RowTexts:
        raise NotImplementedError

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        raise NotImplementedError


def source(*names: str) -> Names:
    return Names(dict.fromkeys(names, Kind.NUMBER))


NUMBERED = [f"feature_{i}" for i in range(12)]


def test_cellprofiler_features_are_those_of_compartments() -> None:
    columns = choose_columns(source("Metadata_Well", "Cells_A", "Nuclei_B", "Image_Count_Cells", "Mito_C"))
    assert columns.features == ("Cells_A", "Nuclei_B", "Mito_C")
    assert columns.descriptions == ("Metadata_Well", "Image_Count_Cells")
    assert columns.scaled


def test_without_a_prefix_only_compartments_are_features() -> None:
    assert choose_columns(source("plate", "well", "count", "Cells_A", "Nuclei_B")).features == ("Cells_A", "Nuclei_B")


def test_numbered_features_are_in_the_order_of_their_numbers_and_not_scaled() -> None:
    columns = choose_columns(source("site_id", *sorted(NUMBERED)))
    assert columns.features == tuple(NUMBERED)
    assert (columns.descriptions, columns.scaled, columns.notes) == (("site_id",), False, ())


def test_numbers_that_are_missing_are_noted() -> None:
    columns = choose_columns(source("site_id", *NUMBERED[:4], *NUMBERED[5:]))
    assert columns.notes == ("1 numbers are missing among the features feature_0 to feature_11",)


def test_two_families_of_numbers_are_refused_without_a_prefix() -> None:
    names = [f"x{i}" for i in range(12)]
    with pytest.raises(InvalidTable, match="feature_0 to feature_11 and x0 to x11 are numbered alike"):
        choose_columns(source("well", *NUMBERED, *names))
    assert len(choose_columns(source("Metadata_Well", *NUMBERED, *names)).features) == 24


def test_names_that_say_nothing_are_refused() -> None:
    with pytest.raises(InvalidTable, match="no name says which columns are features"):
        choose_columns(source("plate", "well", "area", "intensity"))


@pytest.mark.parametrize(
    ("name", "is_blocklisted"),
    [
        ("Nuclei_Correlation_Manders_AGP_DNA", True),
        ("Nuclei_Correlation_RWC_RNA_ER", True),
        ("Cells_Correlation_Manders_AGP_DNA", False),
        ("Nuclei_Granularity_16_DNA", True),
        ("Nuclei_Granularity_1_DNA", False),
        ("Nuclei_Granularity_13_DNA", False),
        ("Cells_AreaShape_Center_X", True),
        ("Cells_AreaShape_BoundingBoxMaximum_X", True),
        ("Cells_Location_Center_X", True),
        ("Cytoplasm_Parent_Cells", True),
        ("Cells_Number_Object_Number", True),
        ("Cells_AreaShape_Area", False),
        ("Cells_Neighbors_NumberOfNeighbors_Adjacent", False),
    ],
)
def test_the_blocklist_knows_places_and_identities(name: str, is_blocklisted: bool) -> None:
    assert (BLOCKLIST.search(name) is not None) == is_blocklisted


def test_all_of_pycytominers_blocklist_is_on_ours() -> None:
    listed = resources.files("pycytominer").joinpath("data/blocklist_features.txt").read_text().split()
    assert len(listed) > 50
    assert all(BLOCKLIST.search(name) for name in listed[1:])  # the first line is the header
