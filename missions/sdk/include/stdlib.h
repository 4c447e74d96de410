/* stdlib.h: memory and the way out. */
#ifndef PERILUNE_STDLIB_H
#define PERILUNE_STDLIB_H

#include <stddef.h>

/*
 * Memory comes from the guest's heap, aligned to 16 octets. All of it can be
 * freed; neighbours that are free become one. NULL when there is no room, or
 * less than PERILUNE_STACK_SIZE octets would be left for the stack. A pointer
 * that is not malloc's, or was freed before, ends the program with abort().
 * Sizes are in octets.
 */
#define PERILUNE_STACK_SIZE 0x40000

/* n octets, not cleared; malloc(0) is a block too. */
void *malloc(size_t n);

/* count times n octets, all zero; NULL also when the product overflows. */
void *calloc(size_t count, size_t n);

/* p with n octets, moved if it must; what both sizes have stays as it was.
 * NULL leaves p alone. */
void *realloc(void *p, size_t n);

/* Gives back a block; NULL is none. */
void free(void *p);

/* A number from text as C11 7.22.1.4 has it; too large a one is ULONG_MAX. */
unsigned long strtoul(const char *restrict s, char **restrict end, int base);

/* solo5_exit() and solo5_abort(). */
void exit(int status) __attribute__((noreturn));
void abort(void) __attribute__((noreturn));

#endif
