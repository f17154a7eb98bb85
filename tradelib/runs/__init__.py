"""Notebooks run by papermill into dated pages: one, all partners of a release, or all on release morning.

- `finished`: what a finished notebook says, from its title to its facts, whether it was edited, and its page.
- `jobs`: one page to make: its notebook and parameters, where its files go, what it is made from.
- `execution`: a notebook run by papermill in a kernel of its own, and the parameters it declares.
- `engine`: papermill's engine within bounds: what a run may show, and how it talks to its kernel.
- `check`: whether a page says what its facts are, worked out again from the stored vintages.
- `report`: one page made whole or not at all, from a job or from a notebook as it stands.
- `plan`: what a sweep is asked for, in words or in a standing list, as jobs.
- `sweep`: the jobs of a plan made by many workers, here or on a Dask cluster, and the record of it.
- `state`: what calls keep for later ones, and the lock.
- `due`: which releases should have appeared, what is the matter with each, and which comes next.
- `run_due`: one call that does what is due, step by step.
- `hooks`: a command that is run, or an address that is told, of what came of it.
- `spreadsheet`: the figures of a page, one table a sheet.
- `archive`: all that a page was made from in one file, and the page made again from it.
- `warm`, `warm_process`: kernels forked from a process with the libraries already imported; both its sides.
"""
