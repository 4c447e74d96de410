/*
 * stdio.h: formatting only; there are no files.
 *
 * Conversions: d i u x X o c s p %, with the flags - 0 + space #, width and
 * precision (also *), and the lengths hh h l ll z t j. No floating point. An
 * unknown conversion is written as it stands.
 */
#ifndef PERILUNE_STDIO_H
#define PERILUNE_STDIO_H

#include <stdarg.h>
#include <stddef.h>

/* Formats into to, which has room for n octets, always terminated when n > 0.
 * Returns the length that the whole text has. */
int snprintf(char *restrict to, size_t n, const char *restrict format, ...)
    __attribute__((format(__printf__, 3, 4)));
int vsnprintf(char *restrict to, size_t n, const char *restrict format,
              va_list args);

/* Formats at most 1023 octets to the console. Returns the length written. */
int printf(const char *restrict format, ...)
    __attribute__((format(__printf__, 1, 2)));

/* Writes s and a line end to the console. */
int puts(const char *s);

#endif
