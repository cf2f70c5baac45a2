"""A clock that runs as a test wants, in the place of the module `time`."""


class Clock:
    """Stands still but for what the functions that are timed add to it.

    `now` is what they compute, and `held_up` what other processes compute meanwhile.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.held_up = 0.0

    def perf_counter(self) -> float:
        return self.now + self.held_up

    def thread_time(self) -> float:
        return self.now
