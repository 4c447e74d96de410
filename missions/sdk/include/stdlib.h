/* stdlib.h: memory and the way out. */
#ifndef PERILUNE_STDLIB_H
#define PERILUNE_STDLIB_H

#include <stddef.h>

/*
 * Memory comes from the guest's heap, aligned to 16, and only grows: free()
 * gives back the newest block alone. That suits programs which take what they
 * need at the start. NULL when less than PERILUNE_STACK_SIZE octets would be
 * left for the stack.
 */
#define PERILUNE_STACK_SIZE 0x40000

void *malloc(size_t n);
void *calloc(size_t count, size_t n);
void *realloc(void *p, size_t n);
void free(void *p);

unsigned long strtoul(const char *restrict s, char **restrict end, int base);

void exit(int status) __attribute__((noreturn));
void abort(void) __attribute__((noreturn));

#endif
