"""The science of a screen as pure functions: arrays in, frozen results out. It knows no file, database or request."""
