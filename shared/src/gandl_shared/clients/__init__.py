"""Typed clients of the services, and the forms they exchange."""
