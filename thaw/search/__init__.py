"""Search for the unfreeze point, and estimate of what a run takes."""
