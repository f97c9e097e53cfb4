import tabulate
import yaml
