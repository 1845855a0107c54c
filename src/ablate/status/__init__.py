"""The state of a store: how far its studies are, what trains where, which leases are orphaned. No TensorFlow."""
