"""Training in two stages, the proof of freezing, and the run folder."""
