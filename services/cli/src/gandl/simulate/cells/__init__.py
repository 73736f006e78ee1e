"""Simulated cells: how they look, where they stand and what a dose does to them."""
