"""Command lines: arguments, Hydra's options, and errors in one line."""
