"""Training data: the packed fields of a plate folder, and random crops of them."""
