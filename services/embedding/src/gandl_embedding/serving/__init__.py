"""How a model is served: its queue, the batch of its device, vectors that are kept, and the requests that use it."""
