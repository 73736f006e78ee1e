"""Dose-response curves: models, solver, intervals, significance, and what is said of a fitted curve."""
