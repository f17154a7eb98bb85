"""Notebooks run by papermill: one page, all pages, on release morning."""
