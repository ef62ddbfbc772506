"""The colours of all pictures: blue, vermilion, green and so on.

Those of Okabe & Ito 2008, "Color universal design", which colour-blind
people can tell apart.
"""

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
TRAINING_COLOR, VALIDATION_COLOR = COLORS[:2]
