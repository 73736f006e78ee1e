"""The control wells of an assay: whether they are separated, mislabelled, and how far they lie off the axis."""
