"""The C files of one model: structures of its layers, their order, and the constants."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mcuprune.codegen.c_text import c_array, c_number, guarded
from mcuprune.codegen.kernel_call import KernelCall, Numbers, Parameter
from mcuprune.codegen.memory import Arena
from mcuprune.codegen.model_file import ModelFile

_C_TYPES = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "int32": "int32_t",
    "uint16": "uint16_t",
    "uint32": "uint32_t",
    "int64": "int64_t",
    "float32": "float",
    "bool": "uint8_t",
}


@dataclasses.dataclass(frozen=True)
class Program:
    """A model, ready to be written as C.

    Attributes:
        name: Prefix of all names.
        model: The model.
        calls: Calls per operator, in the order of the file.
        arena: Where everything lies.
        is_reentrant: Whether the caller gives the arena.
    """

    name: str
    model: ModelFile
    calls: Sequence[Sequence[KernelCall]]
    arena: Arena
    is_reentrant: bool

    def constants(self) -> dict[str, Numbers]:
        """Return all arrays in flash by name; equal ones once."""
        found: dict[str, Numbers] = {}
        names = self._constant_names()
        for layer, call in self._named_calls():
            for field, values in call.arrays().items():
                found[names[layer, field]] = values
        for tensor in self._constant_inputs():
            found[self._constant_tensor(tensor)] = self.model.values(tensor)
        return found

    def headers(self) -> tuple[str, ...]:
        """Return the names of the kernels' headers."""
        return tuple(sorted({call.header_name for _, call in self._named_calls()}))

    def kernels(self) -> tuple[str, ...]:
        """Return the names of the kernels."""
        return tuple(sorted({call.kernel for _, call in self._named_calls()}))

    def prototype(self) -> str:
        """Return the declaration of the function that runs the model."""
        return f"int {self.name}_invoke({self._invoke_parameters()})"

    def header(self) -> str:
        """Return ``NAME.h``."""
        macro = self.name.upper()
        arena = f"#define {macro}_ARENA_BYTES {self.arena.size_bytes}\n"
        sizes = "".join(
            f"#define {macro}_{what.upper()}_BYTES {self._bytes(tensor)}\n"
            for what, tensor in self._ports()
        )
        prototypes = "".join(
            f"/* {text} */\n{declaration};\n\n" for text, declaration in self._functions()
        )
        ports = "".join(f"   {what}: {self._describe(tensor)}\n" for what, tensor in self._ports())
        body = f"#include <stdint.h>\n\n{arena}{sizes}\n{prototypes.rstrip()}\n"
        return guarded(f"{self.name}.h", f"Runs the model.\n{ports}", body)

    def source(self) -> str:
        """Return ``NAME.c``."""
        includes = "".join(f'#include "{header}"\n' for header in self.headers())
        layers = "\n".join(self._layers())
        return (
            f'#include "{self.name}.h"\n\n#include <string.h>\n\n{includes}'
            f'#include "{self.name}_weights.h"\n\n{layers}\n{self._arena_definition()}'
            f"{self._invoke()}"
        )

    def weights_header(self) -> str:
        """Return ``NAME_weights.h``."""
        declarations = "".join(
            f"extern {_declared(name, values)};\n" for name, values in self.constants().items()
        )
        return guarded(
            f"{self.name}_weights.h",
            "Constants of the model, in flash.",
            f"#include <stdint.h>\n\n{declarations}",
        )

    def weights_source(self) -> str:
        """Return ``NAME_weights.c``."""
        arrays = "\n".join(
            c_array(_declared(name, values), values.ravel())
            for name, values in self.constants().items()
        )
        return f'#include "{self.name}_weights.h"\n\n{arrays}'

    def _ports(self) -> Iterator[tuple[str, int]]:
        graph = self.model.graph
        for what, tensors in (("input", graph.inputs), ("output", graph.outputs)):
            for place, tensor in enumerate(tensors):
                yield (what if len(tensors) == 1 else f"{what}{place}"), tensor

    def _bytes(self, tensor: int) -> int:
        return int(self.model.graph.tensors[tensor].size_bytes)

    def _type(self, tensor: int) -> str:
        return _C_TYPES[self.model.graph.tensors[tensor].dtype]

    def _describe(self, tensor: int) -> str:
        found, quantization = self.model.graph.tensors[tensor], self.model.quantizations[tensor]
        text = f"{found.dtype} {'x'.join(map(str, found.shape))}"
        if len(quantization.scales) == 1:
            text += f", scale {quantization.scale:.9g}, zero point {quantization.zero_point}"
        return text

    def _functions(self) -> list[tuple[str, str]]:
        arena = "void *arena" if self.is_reentrant else "void"
        aligned = "; arena: *_ARENA_BYTES bytes, aligned to 4" if self.is_reentrant else ""
        found = [
            (
                f"Returns 0, or -1 if a pointer is null{aligned}.",
                self.prototype(),
            )
        ]
        for what, tensor in self._ports():
            if what.startswith("input"):
                text = f"Place of {what} in the arena: filled and passed on, it is not copied."
                function = f"{self._type(tensor)} *{self.name}_{what}({arena})"
                found.append((text, function))
        return found

    def _invoke_parameters(self) -> str:
        parameters = ["void *arena"] if self.is_reentrant else []
        for what, tensor in self._ports():
            const = "const " if what.startswith("input") else ""
            parameters.append(f"{const}{self._type(tensor)} *{what}")
        return ", ".join(parameters)

    def _named_calls(self) -> Iterator[tuple[str, KernelCall]]:
        """Yield each call of a kernel with the name of its layer."""
        for index, calls in enumerate(self.calls):
            for place, call in enumerate(calls):
                if call.kernel:
                    number = f"{index}" if len(calls) == 1 else f"{index}_{place}"
                    yield f"layer{number}_{call.kernel}", call

    def _layers(self) -> Iterator[str]:
        names = self._constant_names()
        for layer, call in self._named_calls():
            fields = "".join(
                f"    .{field} = {self._field(names.get((layer, field)), value)},\n"
                for field, value in call.parameters.items()
            )
            yield f"static const mcuprune_{call.kernel}_t {layer} = {{\n{fields}}};\n"

    def _field(self, constant: str | None, value: Parameter) -> str:
        if constant is not None:
            return constant
        if isinstance(value, tuple):
            return f"{{{', '.join(map(c_number, value))}}}"
        assert not isinstance(value, np.ndarray)
        return c_number(value)

    def _arena_definition(self) -> str:
        if self.is_reentrant:
            return ""
        words = max(1, self.arena.size_bytes // 4)
        comment = "/* Of words, so that it is aligned to 4. */"
        return f"{comment}\nstatic uint32_t arena_words[{words}];\n\n"

    def _invoke(self) -> str:
        inputs = [(what, t) for what, t in self._ports() if what.startswith("input")]
        outputs = [(what, t) for what, t in self._ports() if what.startswith("output")]
        bytes_of_arena = "(int8_t *)arena" if self.is_reentrant else "(int8_t *)arena_words"
        parameter = "void *arena" if self.is_reentrant else "void"
        accessors = "".join(
            f"{self._type(tensor)} *{self.name}_{what}({parameter})\n{{\n"
            f"    return {self._pointer(tensor, f'({bytes_of_arena})')};\n}}\n\n"
            for what, tensor in inputs
        )
        pointers = ["arena"] if self.is_reentrant else []
        pointers += [what for what, _ in (*inputs, *outputs)]
        are_null = " || ".join(f"({pointer} == NULL)" for pointer in pointers)
        lines = [f"int8_t *const bytes = {bytes_of_arena};"]
        for what, tensor in inputs:
            place = self._pointer(tensor)
            lines += [f"if ({what} != {place}) {{"]
            lines += [f"    (void)memmove({place}, {what}, {self._bytes(tensor)});", "}"]
        layers = {id(call): layer for layer, call in self._named_calls()}
        for index in self.arena.operators:
            lines += self._statements(index, layers)
        lines += [
            f"(void)memcpy({what}, {self._pointer(tensor)}, {self._bytes(tensor)});"
            for what, tensor in outputs
        ]
        body = "".join(f"    {line}\n" for line in lines)
        return (
            f"{accessors}{self.prototype()}\n{{\n"
            f"    if ({are_null}) {{\n        return -1;\n    }}\n{body}    return 0;\n}}\n"
        )

    def _statements(self, index: int, layers: Mapping[int, str]) -> Iterator[str]:
        operator = self.model.graph.operators[index]
        shape = "x".join(map(str, self.model.shape(operator.outputs[0])))
        yield f"/* {index}: {operator.kind} -> {shape} */"
        for call in self.calls[index]:
            if call.kernel:
                arguments = [f"&{layers[id(call)]}"]
                arguments += map(self._pointer, (*call.inputs, *call.outputs))
                if call.scratch_bytes:
                    arguments.append(f"&bytes[{self.arena.scratch_offsets[index]}]")
                yield f"mcuprune_{call.kernel}({', '.join(arguments)});"
                continue
            source, target = map(self._pointer, (call.inputs[0], call.outputs[0]))
            if source != target:
                yield f"(void)memmove({target}, {source}, {self._bytes(call.outputs[0])});"

    def _pointer(self, tensor: int, base: str = "bytes") -> str:
        if self.model.graph.tensors[tensor].is_constant:
            return self._constant_tensor(tensor)
        place = f"&{base}[{self.arena.tensor_offsets[tensor]}]"
        kind = self._type(tensor)
        return place if kind == "int8_t" else f"({kind} *)(void *){place}"

    def _constant_tensor(self, tensor: int) -> str:
        return f"{self.name}_tensor{tensor}"

    def _constant_inputs(self) -> list[int]:
        used = [tensor for calls in self.calls for call in calls for tensor in call.inputs]
        used += self.model.graph.outputs
        return [t for t in dict.fromkeys(used) if self.model.graph.tensors[t].is_constant]

    def _constant_names(self) -> dict[tuple[str, str], str]:
        """Return the name of each array by layer and field; equal arrays share one."""
        names: dict[tuple[str, str], str] = {}
        by_contents: dict[tuple[str, bytes], str] = {}
        for layer, call in self._named_calls():
            for field, values in call.arrays().items():
                key = (values.dtype.str, hashlib.sha256(values.tobytes()).digest())
                names[layer, field] = by_contents.setdefault(key, f"{self.name}_{layer}_{field}")
        return names


def _declared(name: str, values: Numbers) -> str:
    return f"const {_C_TYPES[values.dtype.name]} {name}[{values.size}]"
