"""A gate for changes: one variant under two states of code, data or configuration, with a ledger of all tries."""
