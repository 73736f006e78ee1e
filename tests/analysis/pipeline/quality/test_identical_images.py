"""Files that were copied under the name of another well are named, and control wells among them count once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.image_qc import NO_IMAGE_QC
from gandl_analysis.pipeline.quality.identical_images import identical_images, with_identical_images, without_copies
from gandl_shared.errors import NotEnoughData
from gandl_shared.plates import Well
from gandl_shared.schemas.quality import GroupQuality, Quality
from gandl_shared.store import Profiles

from tests.analysis.simulated_screens import Simulated

ROLES = ("positive_control", "negative_control")
SCREEN = Simulated(lines=("U2OS",), plates=("P1",))


def with_copies(profiles: Profiles, pairs: Sequence[tuple[str, str]]) -> Profiles:
    """Return the profiles with the vectors of the first well of each pair for the second one too."""
    vectors = profiles.vectors.copy()
    for original, copy in pairs:
        vectors[profiles.wells == copy] = profiles.vectors[profiles.wells == original]
    return replace(profiles, vectors=vectors)


def controls(wells: Sequence[Well], role: str) -> list[str]:
    return [well.well for well in wells if well.role == role]


def quality(n: int) -> Quality:
    values = {"z_prime": 0.7, "z_prime_robust": 0.7, "ssmd": 9.0, "v_factor": None, "roc_auc": 1.0, "accuracy": 1.0}
    group = GroupQuality.model_validate({**values, "n_positive": n, "n_negative": n, "verdict": "good"})
    return Quality(cell_lines={"U2OS": group}, plates={"P1": group.model_copy(update={"cell_line": "U2OS"})})


def test_real_images_are_all_different() -> None:
    assert identical_images(SCREEN.profiles(), SCREEN.wells()) == ()
    before = quality(8)
    assert with_identical_images(before, ()) == before


def test_two_wells_of_equal_images_are_named_site_by_site() -> None:
    wells = SCREEN.wells()
    first, second = controls(wells, "negative_control")[:2]
    groups = identical_images(with_copies(SCREEN.profiles(), [(first, second)]), wells)
    assert groups and all([s.well for s in group.sites] == [first, second] for group in groups)
    assert {s.role for group in groups for s in group.sites} == {"negative_control"}


def test_fields_that_show_nothing_may_be_equal() -> None:
    wells = SCREEN.wells()
    first, second = controls(wells, "negative_control")[:2]
    profiles = with_copies(SCREEN.profiles(), [(first, second)])
    empty = frozenset(zip(profiles.plates, profiles.wells, profiles.sites, strict=True))
    assert identical_images(profiles, wells, empty) == ()


def test_a_model_with_one_vector_for_everything_copies_no_file() -> None:
    profiles = SCREEN.profiles()
    assert identical_images(replace(profiles, vectors=np.zeros_like(profiles.vectors)), SCREEN.wells()) == ()


def test_equal_first_tiles_are_not_enough() -> None:
    wells, profiles = SCREEN.wells(), SCREEN.profiles()
    first, second = controls(wells, "negative_control")[:2]
    copies = with_copies(profiles, [(first, second)])
    vectors = copies.vectors.copy()
    # The last tile of each site differs.
    vectors[(copies.wells == second) & (copies.tiles == copies.tiles.max())] += 1
    assert identical_images(replace(copies, vectors=vectors), wells) == ()


def test_copied_controls_are_named_and_count_once() -> None:
    wells, profiles = SCREEN.wells(), SCREEN.profiles()
    names = controls(wells, "positive_control")
    copies = with_copies(profiles, [(names[0], names[1])])
    groups = identical_images(copies, wells)
    group = with_identical_images(quality(8), groups).cell_lines["U2OS"]
    assert group.reasons[-1] == f"control wells have equal images: P1 {names[0]} = P1 {names[1]}"
    image_qc = without_copies(replace(NO_IMAGE_QC, dropped=np.zeros(len(profiles), bool)), groups, copies)
    assert image_qc.failed == {("P1", names[1]): f"image QC: same images as {names[0]}"}
    assert set(copies.wells[image_qc.dropped]) == {names[1]}


def test_a_control_with_one_image_of_its_own_is_kept() -> None:
    wells, profiles = SCREEN.wells(), SCREEN.profiles()
    first, second = controls(wells, "positive_control")[:2]
    copies = with_copies(profiles, [(first, second)])
    vectors = copies.vectors.copy()
    last = (copies.wells == second) & (copies.sites == sorted(set(copies.sites))[-1])
    vectors[last] += 1
    part = replace(copies, vectors=vectors)
    groups = identical_images(part, wells)
    bare = replace(NO_IMAGE_QC, dropped=np.zeros(len(profiles), bool))
    assert bool(groups) == (len(set(copies.sites)) > 1)
    assert without_copies(bare, groups, part).failed == {}


def test_an_axis_between_copies_of_one_well_each_is_refused() -> None:
    wells, profiles = SCREEN.wells(), SCREEN.profiles()
    pairs = [(names[0], name) for role in ROLES if (names := controls(wells, role)) for name in names[1:]]
    screen = SCREEN.screen()
    with pytest.raises(NotEnoughData, match="same images as"):
        analyse(replace(screen, profiles=with_copies(profiles, pairs)))


def test_copied_treatments_change_no_verdict() -> None:
    wells = SCREEN.wells()
    first, second = controls(wells, "treatment")[:2]
    groups = identical_images(with_copies(SCREEN.profiles(), [(first, second)]), wells)
    result = with_identical_images(quality(8), groups)
    assert without_copies(NO_IMAGE_QC, groups, SCREEN.profiles()) is NO_IMAGE_QC
    assert result.identical == groups and result.cell_lines == quality(8).cell_lines


def test_vectors_of_the_screen_are_left_as_they_are() -> None:
    profiles = SCREEN.profiles()
    before = profiles.vectors.copy()
    identical_images(profiles, SCREEN.wells())
    np.testing.assert_array_equal(profiles.vectors, before)
