"""Features that need no training: what every trained featurizer must exceed."""
