"""The embedded stack: Valkey, a Celery worker and one HTTP server on this machine, started and stopped as one."""
