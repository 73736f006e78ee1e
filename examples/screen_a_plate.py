"""Screen a folder of plate images through a running gandl (`gandl up`) and print the results.

    python examples/screen_a_plate.py http://127.0.0.1:8080 plate/Images plate/platemap.csv

The folder and the plate map are paths below the images folder that gandl was started with.
"""

from __future__ import annotations

import sys

from gandl_shared.clients.analysis import AnalysisClient
from gandl_shared.schemas.screen import ScreenRequest


def main(url: str, images: str, plate_map: str) -> None:
    """Submit a screen, follow its progress, and print one line per compound."""
    with AnalysisClient(url) as gandl:
        screen = gandl.submit(ScreenRequest(images=images, plate_map=plate_map)).id
        for status in gandl.watch(screen):
            print(f"{status.state.value}: {status.progress.done} of {status.progress.sites} sites", file=sys.stderr)
        for cell_line, quality in gandl.quality(screen).cell_lines.items():
            print(f"{cell_line}: Z' = {quality.z_prime}")
        for hit in gandl.hits(screen):
            ec50 = f"{hit.ec50_relation} {hit.ec50_um:.3g} uM" if hit.ec50_um is not None else "none"
            print(f"{hit.rank or '-'}\t{hit.compound}\t{hit.cell_line}\t{hit.verdict}\tEC50 {ec50}")


if __name__ == "__main__":
    main(*sys.argv[1:])
