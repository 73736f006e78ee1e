"""The design of a simulated screen, the layout of its plates, and its tables."""
