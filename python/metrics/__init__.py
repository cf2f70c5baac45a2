"""Metrics: what the service has counted, across its processes, for Prometheus."""
