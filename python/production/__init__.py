"""What a container runs: the start, the swap of the model, the health check, uWSGI's supervisor."""
