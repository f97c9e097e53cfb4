import tabulate
