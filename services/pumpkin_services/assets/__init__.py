"""What datasets, algorithms and models share: naming, sharing, labels, descriptions, presets."""
