"""The command line and what people do with it; imported by nobody."""
