# -*- coding: latin-1 -*-
A = 10
B = 2

C = 3
NAME = "café"
