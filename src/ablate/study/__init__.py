"""Studies: what a run is called, what determines its result, and how sweeps are expanded."""
