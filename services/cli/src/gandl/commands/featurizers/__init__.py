"""Commands about featurizers: their cards, their vectors and their import."""
