"""The versioned content store under datasets, algorithms and models; see docs/artifact-format.md."""
