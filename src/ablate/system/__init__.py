"""The operating system: atomic writes, threads, signals, clocks, GPUs, image files."""
