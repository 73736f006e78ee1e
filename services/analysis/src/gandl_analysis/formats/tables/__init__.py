"""All CSV tables that gandl writes: the files of a screen, and the same tables as answers of the service."""
