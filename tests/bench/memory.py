"""How much memory this process has taken."""

import psutil


def peak_resident_mb() -> float:
    """The highest resident memory of this process so far."""
    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):  # Windows
        return memory.peak_wset / 2**20
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
