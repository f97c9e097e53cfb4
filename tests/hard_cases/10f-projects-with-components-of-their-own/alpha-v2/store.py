import tabulate

A = 1
B = 2
