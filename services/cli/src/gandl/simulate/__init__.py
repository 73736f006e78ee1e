"""A plate simulator with known truth: five stains, two cell lines, infection, rescue and toxicity from a seed."""

from gandl.simulate.cells.morphology import CELL_LINES, STAINS
from gandl.simulate.cells.pharmacology import Response, WellState
from gandl.simulate.microscope.effects import Effects
from gandl.simulate.plates.compounds import read_compounds
from gandl.simulate.plates.design import Compound, Controls, DoseLadder, ScreenDesign
from gandl.simulate.plates.presets import PRESETS, preset
from gandl.simulate.screen import SimulatedScreen, default_processes, simulate_screen

__all__ = [
    "CELL_LINES",
    "PRESETS",
    "STAINS",
    "Compound",
    "Controls",
    "DoseLadder",
    "Effects",
    "Response",
    "ScreenDesign",
    "SimulatedScreen",
    "WellState",
    "default_processes",
    "preset",
    "read_compounds",
    "simulate_screen",
]
