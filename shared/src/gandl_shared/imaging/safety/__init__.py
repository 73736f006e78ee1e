"""Checks before a library reads a broken or hostile image, and one error for what it raises after all."""
