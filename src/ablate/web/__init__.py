"""Web pages: what all servers share: headers, bounds, the look, and how they start."""
