"""What was measured, for people: pictures, a page and a card, each made from one plain dict.

write.py      write_report of a run, write_data_report of a data set: report.json, report.html,
              README.md; write_live
page.py       report.html: one offline file          card.py     README.md: the model card
live.py       live.html: a run on its way            templates/  the templates and the style
pictures/     inline SVG, one file a picture
facts.py      the sections that page and card share  limits.py   what the run cannot promise
results.py    the measures beside the baseline       table.py    the same on the terminal
data_*.py     page, card and sections of a data set   templating.py  how templates are filled in
words.py      numbers as people read them            plain.py    plain JSON values
sheets.py     what each kind of answers is called     sheet.py    what one of them holds
usage.py      how a saved run is asked
"""

from headway.reports.results import ResultRow, SeedRow, headline, result_rows, seed_rows
from headway.reports.table import result_table, seed_table
from headway.reports.write import write_data_report, write_live, write_report

__all__ = [
    "ResultRow",
    "SeedRow",
    "headline",
    "result_rows",
    "result_table",
    "seed_rows",
    "seed_table",
    "write_data_report",
    "write_live",
    "write_report",
]
