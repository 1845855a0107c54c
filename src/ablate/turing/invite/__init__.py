"""Invitations: links by which one participant each takes part."""
