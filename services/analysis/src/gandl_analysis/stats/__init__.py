"""Pure functions: arrays in, frozen results out."""
