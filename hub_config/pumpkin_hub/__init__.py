"""The Hub's side of the platform: its configuration as data and pure functions, and the launcher that runs it."""
