"""What there is to compute on: nodes, specs, pools and limits."""
