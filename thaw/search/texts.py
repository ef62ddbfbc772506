"""Seconds and bytes as text."""


def duration(seconds: float) -> str:
    """Returns e.g. `0.4 s`, `45 s`, `1 min 40 s` or `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        large, small, names = *divmod(whole, 60), ("min", "s")
    else:
        large, small, names = *divmod(round(seconds / 60), 60), ("h", "min")
    return f"{large} {names[0]}" + (f" {small} {names[1]}" if small else "")


def size(num_bytes: float) -> str:
    """Returns e.g. `12 MB` or `0.4 GB`."""
    if num_bytes < 0.1e9:
        return f"{num_bytes / 1e6:.0f} MB"
    return f"{num_bytes / 1e9:.1f} GB"
