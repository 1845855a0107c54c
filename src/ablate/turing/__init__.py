"""The colourisation Turing test: people choose which of two pictures was recoloured, in a browser."""
