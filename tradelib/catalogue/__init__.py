"""The catalogue: one page over a folder of reports, searched without a server.

- `entries`: what lies in the folder, one entry for each partner and release, read from the files of facts.
- `marks`: what changed since the release before, what was revised, what was audited.
- `page`: the page itself, with its sections and small lines.
"""
