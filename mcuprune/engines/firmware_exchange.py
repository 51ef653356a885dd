"""How a firmware takes inputs and hands out answers where a simulator has no files for it."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Uart:
    """A UART that a firmware sends by.

    Attributes:
        name: What the simulator calls it, such as ``"usart2"``.
        kind: Which driver of ``firmware/uart.c`` speaks to it, such as ``"stm32f4"``.
        address: Its first register.
    """

    name: str
    kind: str
    address: int


@dataclasses.dataclass(frozen=True)
class Exchange:
    """A memory with the inputs, and the UART that answers leave by.

    Attributes:
        inputs_address: Where the memory lies; its layout is that of ``firmware/uart_files.c``.
        uart: The UART.
    """

    inputs_address: int
    uart: Uart

    @property
    def options(self) -> tuple[str, ...]:
        """Options with which the firmware's sources are compiled.

        >>> Exchange(0x9F000000, Uart("usart2", "stm32f4", 0x40004400)).options
        ('-DINPUTS_ADDRESS=0x9f000000u', '-DUART_ADDRESS=0x40004400u', '-DUART_STM32F4')
        """
        return (
            f"-DINPUTS_ADDRESS={self.inputs_address:#x}u",
            f"-DUART_ADDRESS={self.uart.address:#x}u",
            f"-DUART_{self.uart.kind.upper()}",
        )
