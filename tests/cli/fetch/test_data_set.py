"""Values of a data set."""

from __future__ import annotations

from dataclasses import replace

from gandl.fetch.bbbc013 import bbbc013
from gandl.fetch.data_set import RemoteFile


def test_a_file_is_named_by_the_end_of_its_address_and_sizes_add_up() -> None:
    files = tuple(RemoteFile(url=f"https://example.org/a/{k}.zip", size=k) for k in (3, 4))
    assert [file.name for file in files] == ["3.zip", "4.zip"]
    assert replace(bbbc013(), archives=files).archive_bytes == 7
