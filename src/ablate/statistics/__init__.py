"""Statistics of a comparison: intervals, effects and corrections. Pure functions on arrays and frames."""
