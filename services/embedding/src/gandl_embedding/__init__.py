"""Serves a GAN discriminator as a featurizer: images in, 512-number embeddings out."""
