"""Pages that show much of a screen at once: plates, curves, wells as points, and what can be taken along."""
