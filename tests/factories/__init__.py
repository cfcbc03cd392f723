"""Rows for tests, made the way the portal makes them; each function has sensible defaults."""
