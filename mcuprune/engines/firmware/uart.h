/* The UART that a firmware for Renode answers by: at UART_ADDRESS, of the kind that is defined. */
#ifndef MCUPRUNE_UART_H_
#define MCUPRUNE_UART_H_

void uart_start(void);
void uart_send(char character);

#endif
