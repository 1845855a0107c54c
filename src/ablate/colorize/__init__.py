"""Photographs coloured by a trained network: files from the command line, pictures in a browser."""
