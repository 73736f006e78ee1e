"""The label probe of featurizers on a folder of images: which images, which labels, which vectors."""
