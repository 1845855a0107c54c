"""Studies: their files, designs and planned runs; the plan, progress and summary of a sweep."""
