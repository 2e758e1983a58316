"""Models: what jobs leave behind, and where it comes from."""
