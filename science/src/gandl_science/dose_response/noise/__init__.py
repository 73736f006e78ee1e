"""What if the noise is not that of the tests: gross outliers, heavy tails, and doses whose wells scatter more."""
