"""How a model is served: its queue, the batch of its device, the vectors that are kept, and the requests that use it."""
