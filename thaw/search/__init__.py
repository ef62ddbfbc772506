"""How much to unfreeze: candidates, trials, successive halving."""
