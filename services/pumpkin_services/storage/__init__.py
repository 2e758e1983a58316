"""Object stores: where bytes are kept under keys. A folder now, S3 with the same code above it."""
