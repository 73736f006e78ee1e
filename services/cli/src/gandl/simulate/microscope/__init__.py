"""From simulated cells to camera images: stains, optics, noise."""
