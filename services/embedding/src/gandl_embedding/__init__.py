"""Serves a GAN discriminator as a featurizer: images in, embeddings of a few hundred numbers out."""
