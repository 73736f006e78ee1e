"""Figures of results by matplotlib's object interface: no window, no global state, equal bytes for equal numbers."""
