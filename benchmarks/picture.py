"""The picture of the README: real fields of BBBC013 beside the result of `gandl screen`.

    python -m benchmarks.picture --bbbc013 ../shared/data/bbbc013 --out docs/images/bbbc013.png

Images: BBBC013v1, provided by Ilya Ravkin, Broad Bioimage Benchmark Collection (Ljosa et al., Nature Methods 2012),
CC BY 3.0.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path

import numpy as np
from gandl.screening.run import ScreenJob, run
from gandl.simulate.truth import curve_of
from gandl_analysis.figures.dose_response import dose_response_figure
from gandl_analysis.figures.plate import plate_heatmap
from gandl_analysis.figures.svg import to_png
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_embedding.engine import Engine
from gandl_shared.imaging import Preprocessing, prepare_field, read_site, sampled_limits
from gandl_shared.plates import find_sites, read_plate_map
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

MODEL = Path(__file__).parents[1] / "models" / "gandl-bbbc013-64.onnx"
DPI = 160
GAP = 36
WELLS = (("A01", "negative control"), ("B07", "15.6 nM wortmannin"), ("A12", "positive control"))


def main() -> None:
    """Screen the plate and paste the fields and figures together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bbbc013", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    analysis = screened(options.bbbc013)
    heatmap = plate_heatmap(analysis.wells, "BBBC013").figure
    curves = [dose_response_figure(curve_of(analysis.curves, c, "U2OS")) for c in ("Wortmannin", "LY294002")]
    top = [fields(options.bbbc013), picture(heatmap)]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sheet = stacked([side_by_side(top), side_by_side([picture(f) for f in curves])])
    sheet.convert("P", palette=Image.Palette.ADAPTIVE, colors=256).save(options.out, optimize=True)


def screened(folder: Path, model: Path = MODEL) -> ScreenAnalysis:
    """Return the analysis of the plate by the code of `gandl screen`."""
    with tempfile.TemporaryDirectory() as out:
        job = ScreenJob(images=folder / "images", plate_map=folder / "platemap.csv", out=Path(out) / "out")
        return run(job, Engine.load(model))


def fields(folder: Path) -> Image.Image:
    """Return three wells as the model receives them, FKHR-GFP in green and DNA in blue."""
    sites = {s.well: s for s in find_sites(folder / "images", read_plate_map(folder / "platemap.csv"))}
    limits = sampled_limits([s.files for s in sites.values()], downscale=2)
    panels = []
    for well, words in WELLS:
        green, blue = prepare_field(read_site(sites[well].files), Preprocessing(limits=limits, size=64, downscale=2))[
            :, :240, :240
        ]
        colour = np.stack([blue // 4, np.maximum(green, blue // 3), blue], axis=-1)
        panels.append(captioned(Image.fromarray(colour), words))
    return side_by_side(panels, gap=12)


def captioned(image: Image.Image, words: str) -> Image.Image:
    """Return an image with a line of text below it."""
    sheet = Image.new("RGB", (image.width, image.height + 34), "white")
    sheet.paste(image)
    ImageDraw.Draw(sheet).text((2, image.height + 8), words, fill="#333333", font=ImageFont.load_default(size=20))
    return sheet


def picture(figure: Figure) -> Image.Image:
    """Return the pixels of a figure on white."""
    pixels = Image.open(io.BytesIO(to_png(figure, dpi=DPI))).convert("RGBA")
    white = Image.new("RGBA", pixels.size, "white")
    return Image.alpha_composite(white, pixels).convert("RGB")


def side_by_side(images: list[Image.Image], gap: int = GAP) -> Image.Image:
    """Return the images side by side, centred."""
    sheet = Image.new(
        "RGB", (sum(i.width for i in images) + gap * (len(images) - 1), max(i.height for i in images)), "white"
    )
    x = 0
    for image in images:
        sheet.paste(image, (x, (sheet.height - image.height) // 2))
        x += image.width + gap
    return sheet


def stacked(images: list[Image.Image]) -> Image.Image:
    """Return the images one below the other, centred."""
    width = max(i.width for i in images) + 2 * GAP
    sheet = Image.new("RGB", (width, sum(i.height for i in images) + GAP * (len(images) + 1)), "white")
    y = GAP
    for image in images:
        sheet.paste(image, ((width - image.width) // 2, y))
        y += image.height + GAP
    return sheet


if __name__ == "__main__":
    main()
