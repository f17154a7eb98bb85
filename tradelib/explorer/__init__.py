"""What explore.ipynb shows: pick a partner, a release, a day, a basis and a window, and see the series.

- `choice`: what can be chosen, and the series that a choice asks for
- `chart`: the chart of what was chosen, and its title in one sentence
- `table`: its table, to print and for a spreadsheet
- `widgets`: the controls, and what they show
"""
