"""The tables and figures of the paper on GAN-DL, from a folder of data and from any features."""
