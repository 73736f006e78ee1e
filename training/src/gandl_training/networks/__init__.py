"""The two networks of StyleGAN2, their layers, and the feature layers of the discriminator."""
