"""A plug-in of Hydra, found by its place in the namespace package `hydra_plugins`."""
