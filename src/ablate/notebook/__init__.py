"""The interface for notebooks: studies planned, run and read from Python; `ablate` exports it."""
