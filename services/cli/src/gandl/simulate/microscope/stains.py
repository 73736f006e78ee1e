"""The five stains of a field in photo-electrons [5, H, W], before the microscope."""

from __future__ import annotations

import numpy as np

from gandl.simulate.cells.morphology import CellMorphology, Floats
from gandl.simulate.cells.population import Population
from gandl.simulate.cells.textures import noise, spots
from gandl.simulate.microscope.canvas import Canvas, prepare


def paint(morphology: CellMorphology, cells: Population, size: int, rng: np.random.Generator) -> Floats:
    """Return the five stains [5, size, size] of a field, in photo-electrons at a gain of one."""
    if len(cells) == 0:
        return np.zeros((5, size, size), np.float32)
    canvas = prepare(morphology, cells, size, rng)
    hollow = vacuoles(canvas, rng)
    stains = (
        dna(canvas, rng),
        er(canvas, rng) * hollow,
        actin(canvas, rng) * (0.5 + 0.5 * hollow),
        rna(canvas, rng) * hollow,
        golgi(canvas, rng) * (0.4 + 0.6 * hollow),
    )
    return np.stack(stains) + debris(canvas, rng)


def dna(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Return nuclei with chromatin texture: marginated if infected, small, smooth and bright if poisoned."""
    t = canvas.traits
    texture = 1 + canvas.nucleus(t.chromatin) * noise(3.0, canvas.size, rng)
    rim = np.exp(-(((canvas.nuclear_depth - 1.8) / 1.6) ** 2))
    # A nucleus is a flattened ball, so it is brighter in its middle.
    dome = 0.72 + 0.28 * np.clip(canvas.nuclear_depth / 6, 0, 1)
    margin = canvas.nucleus(t.margination)
    body = canvas.nucleus(canvas.stain[0] * t.dna) * dome * np.clip(texture, 0.2, 2)
    # Free dye and mitochondrial DNA give the cytoplasm a faint signal.
    cytoplasm = 0.02 * canvas.inside * canvas.cell(canvas.stain[0])
    return np.asarray(canvas.nuclear * body * (1 - 0.35 * margin + 0.8 * margin * rim) + cytoplasm, np.float32)


def er(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Return a network that fades away from the nucleus; in infection it collapses into a clump beside the nucleus."""
    t, morphology = canvas.traits, canvas.morphology
    # The ridges of band-limited noise form a network, which is where the noise is near zero.
    ridges = 1.15 - 0.9 * np.abs(noise(4.0, canvas.size, rng))
    network = np.clip(1 + canvas.cell(t.reticulum) * 1.3 * (ridges - 0.45), 0.1, 3)
    distance = np.sqrt(canvas.dx**2 + canvas.dy**2)
    fade = np.exp(-np.clip(distance - morphology.nucleus, 0, None) / (0.75 * morphology.radius))
    collapse = canvas.cell(t.collapse)
    # The clump of the ER is beside the nucleus, in a direction that no other stain reveals.
    direction = np.append(rng.uniform(0, 2 * np.pi, len(canvas.cells)), 0).astype(np.float32)
    away = morphology.nucleus * 0.95
    cx, cy = away * np.cos(direction)[canvas.label], away * np.sin(direction)[canvas.label]
    clump = np.exp(-((canvas.dx - cx) ** 2 + (canvas.dy - cy) ** 2) / (2 * (0.5 * morphology.nucleus) ** 2))
    amount = (1 - 0.72 * collapse) * fade * network + 1.9 * collapse * clump
    return np.asarray(
        canvas.cell(canvas.stain[1] * t.er) * canvas.inside * canvas.height * amount * (1 - 0.6 * canvas.nuclear),
        np.float32,
    )


def actin(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Return the cortex along the borders, stress fibres across flat cells, and diffuse actin."""
    t, morphology = canvas.traits, canvas.morphology
    cortex = np.exp(-((np.clip(canvas.depth, 0, None) / 2.1) ** 2)) * (0.8 + 0.3 * noise(6.0, canvas.size, rng))
    angle = np.append(canvas.cells.angle + 0.15 * rng.standard_normal(len(canvas.cells)), 0).astype(np.float32)
    # Fibres run along the long axis of a cell: the coordinate across the axis makes the stripes.
    across = canvas.cell(np.cos(angle)) * canvas.dy - canvas.cell(np.sin(angle)) * canvas.dx
    # Two periods and a warped phase, so that no two fibres are parallel lines of equal distance.
    waves = np.cos(across * (2 * np.pi / 4.6) + 1.4 * noise(12.0, canvas.size, rng))
    bundles = waves + 0.7 * np.cos(across * (2 * np.pi / 7.9) + 2.0 * noise(20.0, canvas.size, rng))
    fibres = 0.5 * np.clip(bundles, 0, None) ** 2 * np.clip(0.5 + 0.6 * noise(14.0, canvas.size, rng), 0, 1.6)
    amount = (
        0.22 * canvas.cell(t.actin) * canvas.height
        + 1.0 * canvas.cell(t.cortex) * np.clip(cortex, 0, None)
        + 0.75 * morphology.fibres * canvas.cell(t.fibres) * fibres * np.clip(canvas.depth / 4, 0, 1)
    )
    return np.asarray(canvas.cell(canvas.stain[2]) * canvas.inside * amount * (1 - 0.25 * canvas.nuclear), np.float32)


def rna(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Return a granular cytoplasm, a faint nucleoplasm and bright nucleoli."""
    t = canvas.traits
    granular = np.clip(1 + 0.28 * noise(2.5, canvas.size, rng), 0.2, 2)
    cytoplasm = 0.55 * canvas.cell(t.rna_cytoplasm) * canvas.height * granular * (1 - 0.55 * canvas.nuclear)
    bright = 1.5 * canvas.nucleus(t.nucleoli) * nucleoli(canvas, rng)
    nuclear = canvas.nuclear * (0.38 * canvas.nucleus(t.rna_nucleus) + bright)
    return np.asarray(canvas.cell(canvas.stain[3]) * (canvas.inside * cytoplasm + nuclear), np.float32)


def nucleoli(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Return two to five round bodies per nucleus, of different sizes: saturated Gaussian spots, 0 to 1."""
    cells = np.repeat(np.arange(len(canvas.cells)), rng.integers(2, 6, len(canvas.cells)))
    # The square root makes points uniform over the area of the nucleus, not over its radius.
    radius = 0.62 * canvas.nuclei.radius[cells] * np.sqrt(rng.random(len(cells)))
    angle = rng.uniform(0, 2 * np.pi, len(cells))
    x, y = canvas.cells.x[cells] + radius * np.cos(angle), canvas.cells.y[cells] + radius * np.sin(angle)
    return np.asarray(1 - np.exp(-spots(x, y, rng.gamma(2.0, 1.0, len(cells)), 1.35, canvas.size)), np.float32)


def golgi(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Return a ribbon of stacks beside the nucleus, vesicles, and the plasma membrane."""
    t, n, morphology = canvas.traits, len(canvas.cells), canvas.morphology
    side = rng.uniform(0, 2 * np.pi, n)
    # Sixteen stacks per cell: a ribbon if they are close together, vesicles if they are dispersed.
    cells = np.repeat(np.arange(n), 16)
    spread = canvas.cells.traits.scatter[cells] * morphology.nucleus
    centre = morphology.nucleus * 1.0
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
    """Return a factor from 0 to 1 with holes in the cytoplasm, many of them in poisoned cells."""
    cells = np.repeat(np.arange(len(canvas.cells)), rng.poisson(canvas.cells.traits.vacuoles))
    angle = rng.uniform(0, 2 * np.pi, len(cells))
    # Vacuoles are around the nucleus, where the cytoplasm is thick enough for them.
    ring = canvas.nuclei.radius[cells] + 2 + 0.35 * canvas.morphology.radius * rng.random(len(cells))
    x, y = canvas.cells.x[cells] + ring * np.cos(angle), canvas.cells.y[cells] + ring * np.sin(angle)
    return np.asarray(np.exp(-1.8 * spots(x, y, rng.gamma(3.0, 0.5, len(cells)), 1.7, canvas.size)), np.float32)


def debris(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """Return remains of detached cells and floating bits: small bright specks in all stains [5, H, W]."""
    # The number of floating bits depends on the area, so that fields of another size look the same.
    floating = rng.uniform(0, canvas.size, (rng.poisson(3 * (canvas.size / 256) ** 2), 2))
    points = np.concatenate([canvas.cells.lost.reshape(-1, 2), floating]).astype(np.float32)
    height = rng.gamma(2.0, 0.25, len(points))
    specks = spots(points[:, 0], points[:, 1], height, 2.0, canvas.size)
    brightness = np.array(canvas.morphology.brightness, np.float32) * np.array([0.8, 0.5, 0.4, 0.5, 0.7], np.float32)
    return np.asarray(brightness[:, None, None] * specks, np.float32)
