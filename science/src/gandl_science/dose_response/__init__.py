"""Dose-response curves: models, solver, intervals, tests of significance, and the interpretation of a fitted curve."""
