"""From image files to the uint8 tiles that a model takes, and the quality metrics of images."""
