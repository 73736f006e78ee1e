"""The plate of the cases written with the index of an instrument: the prepared fields are those of plain TIFF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gandl_shared.errors import Invalid
from gandl_shared.imaging import Preprocessing, Raw, limits_of_sites, prepare_field, read_site
from gandl_shared.plates import ModelInput, Site, parse_well, read_plate_map, survey_images
from gandl_shared.schemas.choice import ImageChoice, MissingChannels

from tests.cases.plates import fields, write_images, write_plate_map
from tests.cases.surveys import MODEL
from tests.shared.plates.layouts.folders import HARMONY_IMAGE, harmony_index

# The instruments number DNA before GFP, so that only the names of their indexes tell which feeds which input.
NAMES = ("GFP", "HOECHST 33342")


def harmony(folder: Path, version: int) -> None:
    """Write `Images/Index.idx.xml` with the channels turned round: channel 1 is DNA."""
    entries = []

    def name(well: str, channel: int) -> str:
        row, column = parse_well(well)
        file = f"r{row:02d}c{column:02d}f01p01-ch{2 - channel}sk1fk1fl1.tiff"
        entries.append(
            HARMONY_IMAGE.format(
                id=file, url=file, row=row, column=column, field=1, plane=1, channel=2 - channel, name=NAMES[channel]
            )
        )
        return f"P1__2024-05-01T10_00_00-Measurement 1/Images/{file}"

    write_images(folder, name)
    index = folder / "P1__2024-05-01T10_00_00-Measurement 1/Images" / ("Index.xml" if version > 5 else "Index.idx.xml")
    index.write_text(harmony_index(*entries, plate="P1", version=version), encoding="utf-8")


def cellvoyager(folder: Path) -> None:
    """Write `MeasurementData.mlf`; the names of the files say nothing, and the `.mes` names the dyes."""
    space = 'xmlns:bts="http://www.yokogawa.co.jp/BTS/BTSSchema/1.0"'
    records: list[str] = []

    def name(well: str, channel: int) -> str:
        row, column = parse_well(well)
        file = f"{len(records):05d}.tif"
        position = f'bts:Row="{row}" bts:Column="{column}" bts:FieldIndex="1" bts:ZIndex="1" bts:TimePoint="1"'
        records.append(
            f'<bts:MeasurementRecord bts:Type="IMG" {position} bts:Ch="{2 - channel}">{file}</bts:MeasurementRecord>'
        )
        return f"P1/{file}"

    write_images(folder, name)
    dyes = "".join(f'<bts:Channel bts:Ch="{2 - c}" bts:Fluorophore="{NAMES[c]}"/>' for c in range(2))
    data = f"<bts:MeasurementData {space}>{''.join(records)}</bts:MeasurementData>"
    (folder / "P1/MeasurementData.mlf").write_text(data, encoding="utf-8")
    (folder / "P1/settings.mes").write_text(f"<bts:Settings {space}>{dyes}</bts:Settings>", encoding="utf-8")


def imagexpress(folder: Path) -> None:
    """Write an export whose `.HTD` file names the channels."""
    write_images(folder, lambda well, c: f"P1/TimePoint_1/P1_{well}_s1_w{2 - c}.TIF")
    waves = "".join(f'"WaveName{2 - c}", "{NAMES[c]}"\n' for c in range(2))
    (folder / "P1/P1.HTD").write_text(f'"HTSInfoFile", Version 1.0\n{waves}"EndFile"\n', encoding="cp1252")


WRITERS: dict[str, Callable[[Path], None]] = {
    "Harmony 5": lambda folder: harmony(folder, 5),
    "Harmony 6": lambda folder: harmony(folder, 6),
    "CellVoyager": cellvoyager,
    "ImageXpress": imagexpress,
}


def sites_of(folder: Path) -> tuple[Site, ...]:
    plate_map = read_plate_map(write_plate_map(folder.parent / "platemap.csv"))
    return survey_images(folder, plate_map, inputs=MODEL).sites


def fields_for_the_model(sites: tuple[Site, ...]) -> dict[str, Raw]:
    limits = limits_of_sites([site.stacks for site in sites[:8]], downscale=2)
    preprocessing = Preprocessing(limits=limits, size=64, downscale=2)
    return {site.well: prepare_field(read_site(site.stacks), preprocessing) for site in sites}


@pytest.mark.parametrize("layout", WRITERS)
def test_prepared_fields_are_those_of_plain_tiff(tmp_path: Path, layout: str) -> None:
    WRITERS[layout](tmp_path / "indexed")
    indexed = fields_for_the_model(sites_of(tmp_path / "indexed"))
    plain = fields_for_the_model(sites_of(write_images(tmp_path / "plain")))
    assert indexed.keys() == plain.keys() == fields().keys()
    for well, field in plain.items():
        np.testing.assert_array_equal(indexed[well], field)


def test_a_file_that_the_index_names_and_that_is_not_there_makes_its_site_incomplete(tmp_path: Path) -> None:
    harmony(tmp_path / "images", 5)
    file = next((tmp_path / "images").rglob("r01c01*-ch1*"))
    file.unlink()
    with pytest.raises(Invalid, match=f"A01 of plate P1 lacks channel 1, because .*{file.name}, which the index names"):
        sites_of(tmp_path / "images")
    plate_map = read_plate_map(tmp_path / "platemap.csv")
    choice = ImageChoice(missing=MissingChannels.SKIP)
    survey = survey_images(tmp_path / "images", plate_map, inputs=MODEL, choice=choice)
    assert [site.well for site in survey.sites if not site.is_complete] == ["A01"]


def test_dyes_that_the_model_does_not_know_are_asked_about(tmp_path: Path) -> None:
    harmony(tmp_path / "images", 5)
    plate_map = read_plate_map(write_plate_map(tmp_path / "platemap.csv"))
    other = (ModelInput(name="ER"), ModelInput(name="DNA"))
    with pytest.raises(Invalid, match=r"have the channels 1 \(HOECHST 33342\), 2 \(GFP\), and the model takes ER, DNA"):
        survey_images(tmp_path / "images", plate_map, inputs=other)
