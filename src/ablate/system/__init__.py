"""The operating system: atomic writes, threads, signals, image files."""
