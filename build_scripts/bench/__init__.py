"""`python -m build_scripts.bench`: how quick the book is, beside what it is compared with, in one run.

One measurement a file. Variants are interleaved, so that whatever else the machine does falls on
all of them alike, and medians are reported.
"""
