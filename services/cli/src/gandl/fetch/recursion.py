"""RxRx19a and RxRx1 of Recursion (https://www.rxrx.ai): metadata, vectors and images.

The publisher has one archive of each, and gives neither their sizes in bytes nor checksums; the sizes here are those
that the descriptions have in round numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from gandl_shared.plates.layouts.rxrx import FILE_NAME, cell_type
from gandl_shared.plates.map_table.published import is_rxrx1, is_rxrx19a

from gandl.fetch.data_set import RemoteFile
from gandl.fetch.parts.collection import Choice, Collection
from gandl.fetch.parts.images import ArchivePart
from gandl.fetch.parts.tables import EmbeddingsPart, TablePart

SERVER = "https://storage.googleapis.com/rxrx"
_GB = 1_000_000_000
_MB = 1_000_000


def rxrx19a(server: str = SERVER, edge: int = 1024) -> Collection:
    """Return RxRx19a. Other arguments than the defaults are for tests."""
    root = f"{server}/RxRx19a"
    return Collection(
        name="rxrx19a",
        title="RxRx19a: SARS-CoV-2 in HRCE and VERO cells, 305,520 sites, five channels, with vectors of each site",
        page="https://www.rxrx.ai/rxrx19a",
        licence="CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)",
        citation="RxRx19a, Recursion (Heiser et al., bioRxiv 2020.04.21.054387; Cuccarese et al., 2020.08.02.233064)",
        parts=(
            TablePart(
                file=RemoteFile(url=f"{root}/RxRx19a-metadata.zip", size=None),
                member="metadata.csv",
                has_header=is_rxrx19a,
            ),
            EmbeddingsPart(
                file=RemoteFile(url=f"{root}/RxRx19a-DL-embeddings.zip", size=None, about=1_400 * _MB),
                member="embeddings.csv",
                data_set="RxRx19a",
                has_header=_has_vectors,
            ),
            ArchivePart(
                file=RemoteFile(url=f"{root}/RxRx19a-images.zip", size=None, about=445 * _GB),
                place_of=place_of,
                edges=(edge, edge),
            ),
        ),
    )


def rxrx1(server: str = SERVER, edge: int = 512) -> Collection:
    """Return RxRx1. Other arguments than the defaults are for tests."""
    root = f"{server}/rxrx1"
    return Collection(
        name="rxrx1",
        title="RxRx1: siRNAs in HEPG2, HUVEC, RPE and U2OS cells, 125,510 sites, six channels",
        page="https://www.rxrx.ai/rxrx1",
        licence="CC BY-NC-SA 4.0 (https://creativecommons.org/licenses/by-nc-sa/4.0/): no commercial use",
        citation="RxRx1, Recursion (Sypetkowski et al., CVPR Workshops 2023)",
        parts=(
            TablePart(
                file=RemoteFile(url=f"{root}/rxrx1-metadata.zip", size=None),
                member="metadata.csv",
                has_header=is_rxrx1,
            ),
            EmbeddingsPart(
                file=RemoteFile(url=f"{root}/rxrx1-dl-embeddings.zip", size=None),
                member="embeddings.csv",
                data_set="RxRx1",
                has_header=_has_vectors,
            ),
            ArchivePart(
                file=RemoteFile(url=f"{root}/rxrx1-images.zip", size=None, about=47 * _GB),
                place_of=place_of,
                edges=(edge, edge),
            ),
        ),
    )


def place_of(path: str, choice: Choice) -> tuple[str, str] | None:
    """Return the folder and the name of an image, such as `HRCE-1/Plate1` and `AA02_s2_w3.png`.

    Returns None for other files, and for the images of cell types and experiments that were not chosen.
    """
    match = FILE_NAME.search(path)
    if match is None or not choice.takes_plate(match["experiment"], cell_type(match["experiment"])):
        return None
    return f"{match['experiment']}/Plate{match['plate']}", path.rsplit("/", 1)[-1]


def _has_vectors(names: Sequence[str]) -> bool:
    return "site_id" in names
