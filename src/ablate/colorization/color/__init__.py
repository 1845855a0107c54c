"""Colour: Lab, colour classes, soft encoding and class rebalancing."""
