"""The web room: HTTP and JSON, and no data science."""
