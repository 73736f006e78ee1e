"""The evaluation along a run: distances between real and generated tiles, and the control probe."""
