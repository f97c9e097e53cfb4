from functools import singledispatch


@singledispatch
def show(value):
    return "?"


@show.register
def _(value: int):
    return f"{value}"


@show.register
def _(value: list):
    return "list"


@show.register
def _(value: str):
    return f"str {value}"
