"""Compound screening from raw plate images, without annotation: the command line and the embedded stack."""
