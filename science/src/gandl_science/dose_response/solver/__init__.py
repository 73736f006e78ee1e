"""Least squares for many curves with equally many doses: a grid search, then a bounded polish of all curves at once."""
