"""What a study is: the brief it starts from, and its own facts beside those of the brief."""

from tradelib.briefs.brief import Brief


class Study(Brief):
    """A brief that holds the facts of a study too, so that one notebook needs one object."""

    def __init__(self, brief: Brief):
        super().__init__(brief.partner, brief.snapshot, brief.names)
        self.update(brief)

    def __repr__(self) -> str:
        return super().__repr__().replace("<Brief", f"<{type(self).__name__}", 1)
