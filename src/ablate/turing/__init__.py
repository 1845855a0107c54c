"""The human evaluation, a Turing test: participants choose which of two pictures was recoloured, in a browser."""
