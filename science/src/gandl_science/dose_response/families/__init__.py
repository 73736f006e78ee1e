"""Curves that a user asks for: plateaus and slopes that are fixed, bounded or shared, 5PL, and hormesis."""
