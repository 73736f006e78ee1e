"""Trains a StyleGAN2 on unlabelled plate images and exports its discriminator to ONNX."""
