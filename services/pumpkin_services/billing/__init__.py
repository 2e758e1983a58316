"""What it costs: balances, budgets, meters and the append-only ledger."""
