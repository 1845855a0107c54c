"""The operating system: atomic writes, threads, signals, clocks, image files."""
