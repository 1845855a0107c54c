"""A Hydra plug-in; Hydra finds it in the namespace package `hydra_plugins`."""
