"""The command line: flags, help, exit statuses, signals."""
