"""Small folders in the layouts of instruments: files without content, since layouts are read from names and indexes."""

from __future__ import annotations

from pathlib import Path

HARMONY_IMAGE = """<Image Version="1"><id>{id}</id><State>Ok</State><URL>{url}</URL><Row>{row}</Row><Col>{column}</Col>
<FieldID>{field}</FieldID><PlaneID>{plane}</PlaneID><TimepointID>0</TimepointID><ChannelID>{channel}</ChannelID>
<ChannelName>{name}</ChannelName><ImageResolutionX Unit="m">5.0E-07</ImageResolutionX></Image>"""


def touch(folder: Path, *names: str) -> Path:
    """Make empty files below a folder and return the folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def harmony_index(*images: str, plate: str = "P7", version: int = 5) -> str:
    """The text of an `Index.idx.xml` that describes `images`."""
    space = f"http://www.perkinelmer.com/PEHH/HarmonyV{version}"
    plates = f"<Plates><Plate><PlateID>{plate}</PlateID><Name>{plate}</Name></Plate></Plates>"
    return f'<EvaluationInputData xmlns="{space}">{plates}<Images>{"".join(images)}</Images></EvaluationInputData>'


def harmony_image(
    url: str, *, row: int = 1, column: int = 1, plane: int = 1, channel: int = 1, name: str = "DAPI"
) -> str:
    """The element of one image of an index."""
    return HARMONY_IMAGE.format(
        id=url, url=url, row=row, column=column, field=1, plane=plane, channel=channel, name=name
    )
