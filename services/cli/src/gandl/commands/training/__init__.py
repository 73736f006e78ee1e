"""Commands that need the training package: one per module."""
