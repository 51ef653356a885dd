"""The flatbuffer reader on buffers written by hand, byte by byte."""

from __future__ import annotations

import struct

import pytest

from mcuprune.ir.flatbuffer import FlatbufferError, root_table


def one_field_table(field_bytes, vtable=(6, 8, 4), root=16, distance=8):
    """Root offset, mark, vtable at byte 8, table at byte 16 with one field at byte 20."""
    return (
        struct.pack("<I4s", root, b"TFL3")
        + struct.pack("<3H2x", *vtable)
        + struct.pack("<i", distance)
        + field_bytes
    )


def test_scalar_field():
    assert root_table(one_field_table(struct.pack("<i", -7)), "t").number(0, "int32") == -7


def test_field_beyond_the_vtable_has_its_default():
    table = root_table(one_field_table(struct.pack("<i", -7)), "t")
    assert table.number(1, "int32", 42) == 42
    assert not table.has(1)
    assert table.numbers(1, "int32", "v") == ()
    assert table.text(1, "v") == ""


def test_vector_and_string():
    data = one_field_table(struct.pack("<II3i", 4, 3, 10, 20, -30))
    assert root_table(data, "t").numbers(0, "int32", "v") == (10, 20, -30)
    data = one_field_table(struct.pack("<II3s", 4, 3, b"abc"))
    assert root_table(data, "t").text(0, "v") == "abc"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "t at byte 0 needs 4 bytes, but the file has 0"),
        (struct.pack("<I", 0), "t at byte 0 points at itself"),
        (struct.pack("<I", 400), r"t \(table\) at byte 400 needs 4 bytes, but the file has 4"),
        (one_field_table(b"1234", distance=-4000), r"t \(vtable\) at byte 4016"),
        (one_field_table(b"1234", distance=4000), r"t \(vtable\) at byte -3984"),
        (one_field_table(b"1234", vtable=(5, 8, 4)), r"t \(vtable\) at byte 8 has the size 5"),
        (one_field_table(b"1234", vtable=(6, 2, 4)), "t at byte 16 has the size 2"),
        (one_field_table(b"1234", vtable=(6, 9, 4)), "t at byte 16 needs 9 bytes"),
        (one_field_table(b"1234", vtable=(6, 8, 6)), "field 0 at offset 6 lies outside"),
        (one_field_table(b"1234", vtable=(6, 8, 2)), "field 0 at offset 2 lies outside"),
    ],
)
def test_unsound_table(data, message):
    with pytest.raises(FlatbufferError, match=message):
        root_table(data, "t").number(0, "int32")


def test_vector_longer_than_the_file():
    data = one_field_table(struct.pack("<II3i", 4, 2**30, 10, 20, -30))
    with pytest.raises(FlatbufferError, match="t v at byte 28 needs 4294967296 bytes"):
        root_table(data, "t").numbers(0, "int32", "v")


def test_text_that_is_no_text():
    data = one_field_table(struct.pack("<II2s", 4, 2, b"\xff\xfe"))
    with pytest.raises(FlatbufferError, match="t v at byte 28 is not UTF-8"):
        root_table(data, "t").text(0, "v")


def test_many_references_to_one_table_are_refused():
    count, table_bytes = 1000, 400
    vector = struct.pack("<II", 4, count)
    child = 28 + 4 * count + 4
    vector += b"".join(struct.pack("<I", child - (28 + 4 * i)) for i in range(count))
    vtable = struct.pack("<HH", 4, table_bytes)
    data = one_field_table(vector + vtable + struct.pack("<i", 4) + bytes(table_bytes - 4))
    with pytest.raises(FlatbufferError, match="the same bytes over and over"):
        root_table(data, "t").tables(0, "child")


def test_tables_of_a_vector():
    # The vector at byte 24 names the tables at bytes 44 and 52; both share the vtable at byte 36.
    vector = struct.pack("<IIII", 4, 2, 44 - 28, 52 - 32)
    vtable = struct.pack("<HHH2x", 6, 8, 4)
    children = struct.pack("<iiii", 44 - 36, 11, 52 - 36, 22)
    first, second = root_table(one_field_table(vector + vtable + children), "t").tables(0, "child")
    assert (first.number(0, "int32"), second.number(0, "int32")) == (11, 22)
    assert second.what == "child 1"
