"""The commands of `ecumene`, one module each."""
