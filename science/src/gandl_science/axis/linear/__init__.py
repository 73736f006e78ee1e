"""A linear axis between two classes of tiles: whitening, and the SVMs of many folds at once."""
