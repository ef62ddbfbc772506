"""Photos in, batches out: index, split, decode, dataset, demo set."""
