"""A page to try a model in the browser, and what answers it: HTTP, no Keras."""
