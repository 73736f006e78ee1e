"""Names of the HTTP headers that services and clients of gandl share."""

from __future__ import annotations

IDEMPOTENCY_KEY = "Idempotency-Key"
API_KEY = "X-API-Key"
CSRF = "X-CSRF-Token"
REQUEST_ID = "X-Request-ID"
