"""The senders' keys: files in a directory, read again when they change; no other room ever sees a secret."""
