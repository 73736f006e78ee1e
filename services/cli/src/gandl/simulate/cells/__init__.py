"""Simulated cells: their look, their places in a field, and the effect of a dose on them."""
