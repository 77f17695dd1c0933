"""What a worker tells people while it runs: logs, metrics, and the answers to its probes."""
