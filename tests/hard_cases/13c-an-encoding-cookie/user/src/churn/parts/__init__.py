# -*- coding: latin-1 -*-
A = 1
B = 2

C = 3
NAME = "café"
