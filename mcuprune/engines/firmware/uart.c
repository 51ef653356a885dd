/* Sending by the UARTs that boards have in Renode. Clocks, pins and baud rates are left alone, since
   the simulator needs none. Registers: ST's reference manuals RM0090 (STM32F4) and RM0385 (STM32F7;
   the STM32H7 has the same), chapters on the USART; Nordic's nRF52840 Product Specification, UARTE. */
#include "uart.h"

#include <stdint.h>

static void set(uint32_t offset, uint32_t value) {
  *(volatile uint32_t *)(UART_ADDRESS + offset) = value;
}

#if defined(UART_STM32F4) || defined(UART_STM32F7)

#if defined(UART_STM32F4)
enum { STATUS = 0x00, SENT_DATA = 0x04, CONTROL = 0x0c, ENABLE = 1 << 13 };
#else
enum { STATUS = 0x1c, SENT_DATA = 0x28, CONTROL = 0x00, ENABLE = 1 };
#endif
enum { ENABLE_TRANSMITTER = 1 << 3, IS_EMPTY = 1 << 7 };

void uart_start(void) { set(CONTROL, ENABLE | ENABLE_TRANSMITTER); }

void uart_send(char character) {
  while ((*(volatile uint32_t *)(UART_ADDRESS + STATUS) & IS_EMPTY) == 0) {
  }
  set(SENT_DATA, (uint8_t)character);
}

#elif defined(UART_NRF52_EASYDMA)

enum { TASK_START = 0x008, EVENT_ENDED = 0x120, ENABLE = 0x500, POINTER = 0x544, COUNT = 0x548 };
enum { ENABLE_UARTE = 8 };

/* EasyDMA reads from RAM only. */
static volatile uint8_t in_ram;

void uart_start(void) { set(ENABLE, ENABLE_UARTE); }

void uart_send(char character) {
  in_ram = (uint8_t)character;
  set(POINTER, (uint32_t)&in_ram);
  set(COUNT, 1);
  set(EVENT_ENDED, 0);
  set(TASK_START, 1);
  while (*(volatile uint32_t *)(UART_ADDRESS + EVENT_ENDED) == 0) {
  }
}

#elif defined(UART_TRIVIAL)

void uart_start(void) {}

void uart_send(char character) { set(0, (uint8_t)character); }

#else
#error "define the kind of the UART"
#endif
