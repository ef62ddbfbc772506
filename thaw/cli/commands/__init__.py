"""The commands: options in, one call, a printed answer."""
