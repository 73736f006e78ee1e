"""Pages by which people change something: sign in, submit, cancel, retry, decide, delete."""
