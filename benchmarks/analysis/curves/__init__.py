"""Calibration and speed of the dose-response fits, by simulation with known truth."""
