"""Paint the five stains of a field from its cells: photo-electrons [5, H, W] before the microscope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandl.simulate.cells.morphology import CellLine, Floats, Traits
from gandl.simulate.cells.outlines import Ints, Regions, Shapes, cell_shapes, compete, nucleus_shapes
from gandl.simulate.cells.population import Population
from gandl.simulate.cells.textures import noise, spots


@dataclass(frozen=True)
class Canvas:
    """What all stains of a field share: geometry as maps [H, W], traits as arrays [n] with a zero for background."""

    size: int
    line: CellLine
    cells: Population
    traits: Traits[Floats]
    nuclei: Shapes
    label: Ints
    nucleus_label: Ints
    inside: Floats  # 1 inside a cell, soft at its outline
    nuclear: Floats  # 1 inside a nucleus
    depth: Floats  # pixels to the cell's nearest border or outline
    nuclear_depth: Floats
    height: Floats  # relative thickness of the cell
    dx: Floats  # pixel minus centre of its cell
    dy: Floats
    stain: Floats  # [5, n + 1] staining of each cell, its natural spread included

    def cell(self, values: Floats) -> Floats:
        """A value per cell as a map over the cells' pixels."""
        return values[self.label]

    def nucleus(self, values: Floats) -> Floats:
        """A value per cell as a map over the nuclei's pixels."""
        return values[self.nucleus_label]


def paint(line: CellLine, cells: Population, size: int, rng: np.random.Generator) -> Floats:
    """The five stains [5, size, size] of a field, photo-electrons at a gain of one."""
    if len(cells) == 0:
        return np.zeros((5, size, size), np.float32)
    canvas = prepare(line, cells, size, rng)
    hollow = vacuoles(canvas, rng)
    stains = (
        dna(canvas, rng),
        er(canvas, rng) * hollow,
        actin(canvas, rng) * (0.5 + 0.5 * hollow),
        rna(canvas, rng) * hollow,
        golgi(canvas, rng) * (0.4 + 0.6 * hollow),
    )
    return np.stack(stains) + debris(canvas, rng)


def prepare(line: CellLine, cells: Population, size: int, rng: np.random.Generator) -> Canvas:
    """Let the cells compete for pixels and derive the shared maps."""
    outlines, nuclei = cell_shapes(line, cells, rng), nucleus_shapes(line, cells, rng)
    body = compete(outlines, cells.owner, size)
    core = compete(nuclei, np.arange(len(cells), dtype=np.int32), size)
    traits = _with_background(cells.traits)
    radius = np.append(outlines.radius, np.float32(1))
    depth = np.minimum(1 - body.rho, 0.5 * (body.second - body.rho)) * radius[body.label]
    inside = np.clip((1 - body.rho) * radius[body.label] / 2.0 + 0.5, 0, 1)
    rim = (1 - core.rho) * np.append(nuclei.radius, np.float32(1))[core.label]
    nuclear = np.clip(rim / 1.6 + 0.5, 0, 1)
    row, column = np.mgrid[0:size, 0:size].astype(np.float32)
    return Canvas(
        size, line, cells, traits, nuclei, body.label, core.label,
        np.maximum(inside, nuclear), nuclear, depth, rim, _height(traits, body),
        column - np.append(cells.x, np.float32(0))[body.label],
        row - np.append(cells.y, np.float32(0))[body.label],
        _staining(line, cells, rng),
    )  # fmt: skip


def _with_background(traits: Traits[Floats]) -> Traits[Floats]:
    return Traits(*(np.append(values, np.float32(0)) for values in vars(traits).values()))


def _height(traits: Traits[Floats], body: Regions) -> Floats:
    """Flat cells thin out towards their border; round ones are balls, thicker because they hold the same volume."""
    roundness = traits.roundness[body.label]
    inner = np.clip(1 - body.rho**2, 0, 1)
    flat = 0.45 + 0.55 * inner
    ball = 1.45 * np.sqrt(inner)
    return np.asarray(flat + roundness * (ball - flat), np.float32)


def _staining(line: CellLine, cells: Population, rng: np.random.Generator) -> Floats:
    """Brightness of each cell in each stain [5, n + 1]: log-normal, partly shared between the stains."""
    shared = 0.16 * rng.standard_normal(len(cells))
    own = np.array([0.14, 0.22, 0.24, 0.2, 0.24])[:, None] * rng.standard_normal((5, len(cells)))
    factors = np.array(line.brightness)[:, None] * np.exp(shared + own)
    return np.append(factors, np.zeros((5, 1)), axis=1).astype(np.float32)


def dna(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Nuclei with chromatin texture; infected ones marginated, poisoned ones small, smooth and bright."""
    t = canvas.traits
    texture = 1 + canvas.nucleus(t.chromatin) * noise(3.0, canvas.size, rng)
    rim = np.exp(-(((canvas.nuclear_depth - 1.8) / 1.6) ** 2))
    dome = 0.72 + 0.28 * np.clip(canvas.nuclear_depth / 6, 0, 1)
    margin = canvas.nucleus(t.margination)
    body = canvas.nucleus(canvas.stain[0] * t.dna) * dome * np.clip(texture, 0.2, 2)
    cytoplasm = 0.02 * canvas.inside * canvas.cell(canvas.stain[0])
    return np.asarray(canvas.nuclear * body * (1 - 0.35 * margin + 0.8 * margin * rim) + cytoplasm, np.float32)


def er(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """A network that fades away from the nucleus; in infection it collapses into a clump beside it."""
    t, line = canvas.traits, canvas.line
    ridges = 1.15 - 0.9 * np.abs(noise(4.0, canvas.size, rng))
    network = np.clip(1 + canvas.cell(t.reticulum) * 1.3 * (ridges - 0.45), 0.1, 3)
    distance = np.sqrt(canvas.dx**2 + canvas.dy**2)
    fade = np.exp(-np.clip(distance - line.nucleus, 0, None) / (0.75 * line.radius))
    collapse = canvas.cell(t.collapse)
    direction = np.append(rng.uniform(0, 2 * np.pi, len(canvas.cells)), 0).astype(np.float32)
    away = line.nucleus * 0.95
    cx, cy = away * np.cos(direction)[canvas.label], away * np.sin(direction)[canvas.label]
    clump = np.exp(-((canvas.dx - cx) ** 2 + (canvas.dy - cy) ** 2) / (2 * (0.5 * line.nucleus) ** 2))
    amount = (1 - 0.72 * collapse) * fade * network + 1.9 * collapse * clump
    return np.asarray(
        canvas.cell(canvas.stain[1] * t.er) * canvas.inside * canvas.height * amount * (1 - 0.6 * canvas.nuclear),
        np.float32,
    )


def actin(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Cortex along the borders, stress fibres across flat cells, a diffuse rest."""
    t, line = canvas.traits, canvas.line
    cortex = np.exp(-((np.clip(canvas.depth, 0, None) / 2.1) ** 2)) * (0.8 + 0.3 * noise(6.0, canvas.size, rng))
    angle = np.append(canvas.cells.angle + 0.15 * rng.standard_normal(len(canvas.cells)), 0).astype(np.float32)
    across = canvas.cell(np.cos(angle)) * canvas.dy - canvas.cell(np.sin(angle)) * canvas.dx
    waves = np.cos(across * (2 * np.pi / 4.6) + 1.4 * noise(12.0, canvas.size, rng))
    bundles = waves + 0.7 * np.cos(across * (2 * np.pi / 7.9) + 2.0 * noise(20.0, canvas.size, rng))
    fibres = 0.5 * np.clip(bundles, 0, None) ** 2 * np.clip(0.5 + 0.6 * noise(14.0, canvas.size, rng), 0, 1.6)
    amount = (
        0.22 * canvas.cell(t.actin) * canvas.height
        + 1.0 * canvas.cell(t.cortex) * np.clip(cortex, 0, None)
        + 0.75 * line.fibres * canvas.cell(t.fibres) * fibres * np.clip(canvas.depth / 4, 0, 1)
    )
    return np.asarray(canvas.cell(canvas.stain[2]) * canvas.inside * amount * (1 - 0.25 * canvas.nuclear), np.float32)


def rna(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Granular cytoplasm, a faint nucleoplasm and bright nucleoli."""
    t = canvas.traits
    granular = np.clip(1 + 0.28 * noise(2.5, canvas.size, rng), 0.2, 2)
    cytoplasm = 0.55 * canvas.cell(t.rna_cytoplasm) * canvas.height * granular * (1 - 0.55 * canvas.nuclear)
    bright = 1.5 * canvas.nucleus(t.nucleoli) * nucleoli(canvas, rng)
    nuclear = canvas.nuclear * (0.38 * canvas.nucleus(t.rna_nucleus) + bright)
    return np.asarray(canvas.cell(canvas.stain[3]) * (canvas.inside * cytoplasm + nuclear), np.float32)


def nucleoli(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Two to five round bodies a nucleus, of differing size: saturated Gaussian spots, 0..1."""
    cells = np.repeat(np.arange(len(canvas.cells)), rng.integers(2, 6, len(canvas.cells)))
    radius = 0.62 * canvas.nuclei.radius[cells] * np.sqrt(rng.random(len(cells)))
    angle = rng.uniform(0, 2 * np.pi, len(cells))
    x, y = canvas.cells.x[cells] + radius * np.cos(angle), canvas.cells.y[cells] + radius * np.sin(angle)
    return np.asarray(1 - np.exp(-spots(x, y, rng.gamma(2.0, 1.0, len(cells)), 1.35, canvas.size)), np.float32)


def golgi(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """A ribbon of stacks beside the nucleus, vesicles, and the plasma membrane."""
    t, n, line = canvas.traits, len(canvas.cells), canvas.line
    side = rng.uniform(0, 2 * np.pi, n)
    cells = np.repeat(np.arange(n), 16)
    spread = canvas.cells.traits.scatter[cells] * line.nucleus
    centre = line.nucleus * 1.0
    x = canvas.cells.x[cells] + centre * np.cos(side)[cells] + 0.6 * spread * rng.standard_normal(len(cells))
    y = canvas.cells.y[cells] + centre * np.sin(side)[cells] + 0.6 * spread * rng.standard_normal(len(cells))
    stacks = spots(x, y, rng.gamma(2.0, 0.34, len(cells)), 1.25, canvas.size)
    membrane = np.exp(-((np.clip(canvas.depth, 0, None) / 1.5) ** 2))
    texture = np.clip(1 + 0.35 * noise(2.5, canvas.size, rng), 0.2, 2)
    amount = (
        0.22 * canvas.height * texture
        + 0.95 * canvas.cell(t.golgi) * stacks * (1 - 0.5 * canvas.nuclear)
        + 0.62 * canvas.cell(t.membrane) * membrane
    )
    return np.asarray(canvas.cell(canvas.stain[4]) * canvas.inside * amount, np.float32)


def vacuoles(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Factor 0..1: holes in the cytoplasm, many in poisoned cells."""
    cells = np.repeat(np.arange(len(canvas.cells)), rng.poisson(canvas.cells.traits.vacuoles))
    angle = rng.uniform(0, 2 * np.pi, len(cells))
    ring = canvas.nuclei.radius[cells] + 2 + 0.35 * canvas.line.radius * rng.random(len(cells))
    x, y = canvas.cells.x[cells] + ring * np.cos(angle), canvas.cells.y[cells] + ring * np.sin(angle)
    return np.asarray(np.exp(-1.8 * spots(x, y, rng.gamma(3.0, 0.5, len(cells)), 1.7, canvas.size)), np.float32)


def debris(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Remains of detached cells and bits that float everywhere: small bright specks in all stains [5, H, W]."""
    floating = rng.uniform(0, canvas.size, (rng.poisson(3 * (canvas.size / 256) ** 2), 2))
    points = np.concatenate([canvas.cells.lost.reshape(-1, 2), floating]).astype(np.float32)
    height = rng.gamma(2.0, 0.25, len(points))
    specks = spots(points[:, 0], points[:, 1], height, 2.0, canvas.size)
    brightness = np.array(canvas.line.brightness, np.float32) * np.array([0.8, 0.5, 0.4, 0.5, 0.7], np.float32)
    return np.asarray(brightness[:, None, None] * specks, np.float32)
