"""The two networks of a StyleGAN2, their layers and the feature layers of the discriminator."""
