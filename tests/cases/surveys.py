"""The fields of a plate of the cases as a screen reads them, to be compared with those that were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from gandl_shared.imaging import Raw, read_site, split_sites
from gandl_shared.plates import ModelInput, read_plate_map, survey_images
from gandl_shared.schemas.choice import ImageChoice

from tests.cases.plates import fields, write_plate_map

MODEL = (ModelInput(name="GFP", stain="FKHR-EGFP"), ModelInput(name="DNA", stain="DRAQ"))


def images_by_well(
    folder: Path,
    choice: ImageChoice | None = None,
    *,
    plate_map: Path | None = None,
    channels: Sequence[str] | None = None,
) -> Mapping[str, Raw]:
    """Return the field of each well as the images below `folder` give it to the model that takes GFP and DNA."""
    choice = choice or ImageChoice()
    wells = read_plate_map(plate_map or write_plate_map(folder.parent / "platemap.csv"))
    survey = survey_images(folder, wells, inputs=MODEL, choice=choice, channels=channels)
    return {site.well: read_site(site.stacks, choice.reduction) for site in split_sites(survey.sites)}


def assert_same_as_written(images: Mapping[str, Raw]) -> None:
    """Fail unless every well has the very pixels of the design, GFP first."""
    assert images.keys() == fields().keys()
    for well, image in images.items():
        np.testing.assert_array_equal(image, fields()[well])
