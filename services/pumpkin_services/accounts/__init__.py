"""Who is here: users, workspaces (Hub groups) and the audit log."""
