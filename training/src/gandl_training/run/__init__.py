"""A training run: its start and end, its loop, checkpoints and logs."""
