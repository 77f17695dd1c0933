"""The path of a batch: one short file per numbered step, and lane.py that reads like the list of steps."""
