"""What every web service of gandl does in the same way: errors, health, metrics, keys, bodies and query parameters.

Needs the extra `gandl-shared[web]`.
"""
