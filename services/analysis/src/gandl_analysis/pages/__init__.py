"""The HTML pages of the analysis service."""
