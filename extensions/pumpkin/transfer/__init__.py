"""Moving folders to and from versions: hashing, packing and sending in parallel, within bounded memory."""
