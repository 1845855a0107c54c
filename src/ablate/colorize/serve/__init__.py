"""A page in which photographs are coloured: dropped in, coloured, compared, taken away; nothing is stored."""
