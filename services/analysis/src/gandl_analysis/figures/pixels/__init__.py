"""Pictures of cells: grey channels laid over each other in colours, and encoded for a browser."""
