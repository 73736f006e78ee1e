"""One command per module. `gandl.main` imports only the module of the command that runs."""
