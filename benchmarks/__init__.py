"""Benchmarks: this project and its rivals side by side, in one run, on the sandbox, over verified TLS."""
