"""The panels as a web page of this machine: ``mlox ui`` starts ``python -m mlox_jupyter.web``."""
