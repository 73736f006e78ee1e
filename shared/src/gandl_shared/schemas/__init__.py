"""The forms of what travels between parts and to users: requests, states, curves, quality, errors."""
