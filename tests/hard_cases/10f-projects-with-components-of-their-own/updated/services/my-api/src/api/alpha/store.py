import tabulate

A = 1
OURS = 1
B = 2
