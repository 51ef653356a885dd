import flatbuffers
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.cost.flatbuffer_layout import FlatbufferLayout

vectors = st.tuples(st.just("vector"), st.integers(0, 40), st.sampled_from([4, 8, 16]))
strings = st.tuples(st.just("string"), st.text("abc", max_size=9))
tables = st.tuples(
    st.just("table"),
    st.lists(st.tuples(st.integers(0, 8), st.sampled_from([1, 2, 4])), unique_by=lambda f: f[0]),
)


@given(st.lists(st.one_of(vectors, strings, tables), min_size=1, max_size=20))
def test_counts_what_the_flatbuffers_library_writes(parts):
    builder, layout = flatbuffers.Builder(64), FlatbufferLayout()
    for kind, *arguments in parts:
        getattr(layout, kind)(*arguments)
        _WRITERS[kind](builder, *arguments)
    _write_table(builder, [(0, 4)])
    layout.table([(0, 4)])
    builder.Prep(16, 8)  # the widest alignment that a model has
    builder.Finish(builder.Offset(), file_identifier=b"TFL3")
    assert layout.finish(16) == len(builder.Output())


def _write_vector(builder, contents_bytes, alignment_bytes):
    builder.StartVector(1, contents_bytes, alignment_bytes)
    for _ in range(contents_bytes):
        builder.PrependUint8(1)
    builder.EndVector()


def _write_string(builder, text):
    builder.CreateString(text)


def _write_table(builder, fields):
    builder.StartObject(9)
    for slot, size_bytes in fields:
        prepend = {
            1: builder.PrependUint8Slot,
            2: builder.PrependUint16Slot,
            4: builder.PrependUint32Slot,
        }[size_bytes]
        prepend(slot, 1, 0)
    builder.EndObject()


_WRITERS = {"vector": _write_vector, "string": _write_string, "table": _write_table}
