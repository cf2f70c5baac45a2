"""The data that a model takes: features, the schema that they make, and records of it."""
