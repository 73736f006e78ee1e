"""One training step: losses, augmentation and random numbers."""
