"""Figures by matplotlib's object interface: no window, no global state, the same picture for the same numbers."""
