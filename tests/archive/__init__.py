"""Archives of studies."""
