"""Training data: packed fields and random crops of them."""
