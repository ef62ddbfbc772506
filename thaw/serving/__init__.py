"""A page to try a model in the browser, and its HTTP server."""
