"""How much to unfreeze, and what a run takes."""
