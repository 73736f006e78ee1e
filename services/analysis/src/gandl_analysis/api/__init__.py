"""The routes. They translate: a request into a call of the service, and its result into the form the client prefers."""
