"""What archives of data say: the same content has one digest, another has another, and what is cut off is noticed."""

from __future__ import annotations

import io
import tarfile

import pytest

from mlox.archives import Content, content, entries, gathered, parts
from mlox.errors import ServiceError


def archive(**files: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as out:
        for path, text in files.items():
            entry = tarfile.TarInfo(path.replace("__", "/"))
            entry.size = len(text)
            out.addfile(entry, io.BytesIO(text.encode()))
    return stream.getvalue()


def changed(whole: bytes, **fields: object) -> bytes:
    """The same archive with fields of each header set."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as out:
        for _, entry, file in entries([whole]):
            for name, value in fields.items():
                setattr(entry, name, value)
            out.addfile(entry, io.BytesIO(file.read()) if file is not None else None)
    return stream.getvalue()


BOTH = archive(data__a="one", data__b="two")


def test_the_order_the_owner_and_the_time_do_not_count() -> None:
    assert content([BOTH]) == content([archive(data__b="two", data__a="one")])
    assert content([BOTH]) == content([changed(BOTH, uid=7, gid=8, uname="x", mtime=99)])
    assert (content([BOTH]).entries, content([BOTH]).size_bytes) == (2, 6)


@pytest.mark.parametrize(
    "other",
    [
        archive(data__a="one"),
        archive(data__a="two", data__b="one"),
        archive(data__a="one", data__c="two"),
        archive(data__a="one", artifacts__b="two"),
        changed(BOTH, mode=0o600),
    ],
    ids=["missing", "swapped", "renamed", "in another folder", "another mode"],
)
def test_everything_else_counts(other: bytes) -> None:
    assert content([other]).digest != content([BOTH]).digest


def test_the_folders_of_data_themselves_do_not_count() -> None:
    folder = tarfile.TarInfo("data")
    folder.type = tarfile.DIRTYPE
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as out:
        out.addfile(folder)
    assert content([stream.getvalue()]) == Content()


def test_archives_of_an_engine_become_one() -> None:
    volumes = {"data": [archive(pgdata__a="one")], "artifacts": [archive(files__x__y="three")]}
    assert content(gathered(volumes)) == content([archive(data__a="one", artifacts__x__y="three")])


def test_what_is_cut_off_is_noticed_wherever_it_is() -> None:
    for length in range(0, len(BOTH.rstrip(b"\0")) + 512, 256):
        with pytest.raises(ServiceError, match="cut off|cannot be read"):
            content([BOTH[:length]])


def test_a_device_is_not_carried() -> None:
    with pytest.raises(ServiceError, match="is a device"):
        content([changed(BOTH, type=tarfile.CHRTYPE)])


@pytest.mark.parametrize("name", ["/data/a", "data/../../a", ".."])
def test_a_path_does_not_lead_out(name: str) -> None:
    with pytest.raises(ServiceError, match="leads out"):
        parts(name)
