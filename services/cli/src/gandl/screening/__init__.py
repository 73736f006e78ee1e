"""A screen in one process: its images, its analysis parameters, the run, and several models compared on it."""
