"""A classifier that is fine-tuned on labels of wells, and its features as a featurizer."""
