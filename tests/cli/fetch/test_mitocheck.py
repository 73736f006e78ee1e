"""MitoCheck's single cells are counted, decoded and laid out by class."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.fetch.mitocheck import CLASSES, IMAGES, check, lay_out, mitocheck
from gandl.fetch.run import FetchJob, fetch
from gandl_shared.errors import Invalid, InvalidImage

from tests.cli.fetch.store import png, storing, zipped


def files(edge: int = 64) -> dict[str, bytes]:
    return {f"repository-1/6.single_cell_images/x/{name}/a{i}.png": png(i, edge) for i, name in enumerate(CLASSES)}


def test_the_archive_of_the_repository_becomes_a_folder_of_classes(tmp_path: Path) -> None:
    content = zipped({**files(), "repository-1/README.md": b"text", "repository-1/plots/map.png": png(1)})
    with storing({"/archive/1.zip": content}) as store:
        job = FetchJob(data_set=mitocheck(f"{store.url}/archive/1.zip", len(CLASSES)), target=tmp_path / "mitocheck")
        record = fetch(job, on_step=lambda _name: None, on_bytes=lambda _done, _total: None)
    assert record.verification == "unverified"
    assert sorted(path.name for path in (job.target / "images").iterdir()) == sorted(CLASSES)
    check(job.target, count=len(CLASSES))


def test_missing_images_and_other_sizes_are_named(tmp_path: Path) -> None:
    for name, data in files(63).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "out").mkdir()
    with pytest.raises(Invalid, match=f"16 images of the 16 classes of MitoCheck, not {IMAGES}"):
        lay_out(tmp_path, tmp_path / "out")
    with pytest.raises(InvalidImage) as error:
        lay_out(tmp_path, tmp_path / "out", count=16)
    assert "63×63 pixels, not 64×64" in str(error.value.problems[0])
