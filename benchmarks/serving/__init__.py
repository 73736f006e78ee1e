"""How fast images become vectors: the engine, the service around it, and what HTTP costs."""
