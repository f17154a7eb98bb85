"""How numbers, sentences, tables and charts look.

- `words`: numbers, periods, units and sources as words; the one place where figures are rounded.
- `house`: the frame of every chart: colours, type, axes, title and source; how one shows and saves itself.
- `letters`: the canvas of a chart, on which a text is laid out once and written in one piece.
- `pictures`: a drawn chart as a small PNG that holds its words.
- `marks`: what is drawn inside the axes: line ends, agreements, bar labels, waterfalls, dumbbells.
- `tables`: tables ready to print, for a notebook, a spreadsheet, Word, LaTeX, Markdown or a slide.
"""
