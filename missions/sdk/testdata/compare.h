/* compare.h: what the parts of the comparison with the host's C library share. */
#ifndef COMPARE_H
#define COMPARE_H

#include <stddef.h>
#include <stdint.h>

/* A number below n, the same sequence in each run. */
uint64_t below(uint64_t n);

/* Says where the two libraries differ; the program ends when there is too much of it. */
void differ(const char *format, ...) __attribute__((format(__printf__, 1, 2)));

void compare_formats(int rounds);
void compare_strings(int rounds);
void compare_numbers(int rounds);

#endif
