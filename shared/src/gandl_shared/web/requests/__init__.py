"""What a service asks of a request: a body within limits, a client that is still there, and the right to ask."""
