"""Everything that needs a GPU, in one command: see `python -m benchmarks.gpu --help`."""
