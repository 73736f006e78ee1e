"""A folder is opened only where all that is read of it lies below the image root."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_analysis.service.intake.desk import Intake
from gandl_analysis.service.intake.uploads import Uploads
from gandl_shared.db import Database
from gandl_shared.errors import Forbidden, NotFound
from gandl_shared.store import Store

from tests.analysis.service.stack import FakeModels, SilentQueue


def test_a_file_that_is_a_link_out_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "out").mkdir(parents=True)
    outside.mkdir()
    for name in ("embeddings.parquet", "wells.csv"):
        (outside / name).touch()
        (root / "out" / name).symlink_to(outside / name)
    database = Database.connect(f"sqlite:///{tmp_path / 'g.db'}")
    intake = Intake(
        image_root=root,
        models=FakeModels(),
        uploads=Uploads(image_root=root, max_bytes=1),
        database=database,
        store=Store(tmp_path / "store"),
        queue=SilentQueue(),
    )
    with pytest.raises(Forbidden, match="outside the image folder"):
        intake.open_output("out")
    with pytest.raises(NotFound):
        intake.open_output("other")
    assert database.screens.statuses() == ()
    database.close()
