"""How a training run is judged: distances between real and generated tiles, and the control probe."""
