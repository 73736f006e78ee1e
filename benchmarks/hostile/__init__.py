"""Hostile bodies for `POST /embed`: what is generated, and how the service answers it."""
