"""Training of a StyleGAN2 on unlabelled plate images, and the export of its discriminator to ONNX."""
