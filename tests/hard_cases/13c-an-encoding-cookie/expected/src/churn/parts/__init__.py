# -*- coding: latin-1 -*-
A = 1
B = 20

C = 3
NAME = "café"
