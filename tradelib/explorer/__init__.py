"""The controls of explore.ipynb."""
