/* stdlib.h: memory, numbers, order, and the way out. */
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

/* Numbers from text as C11 7.22.1.4 has them: blanks, a sign, digits of base 2 to
 * 36; base 0 takes 0x and 0 in front for 16 and 8. *end, if not NULL, is where
 * the number ends, s when there is none. There is no errno: what is too large
 * is the type's largest or smallest value. */
long strtol(const char *restrict s, char **restrict end, int base);
long long strtoll(const char *restrict s, char **restrict end, int base);
unsigned long strtoul(const char *restrict s, char **restrict end, int base);
unsigned long long strtoull(const char *restrict s, char **restrict end,
                            int base);

/* strtol() to base 10 without an end; atoi() keeps the lower 32 bits. */
int atoi(const char *s);
long atol(const char *s);

/* n without its sign; the smallest number has none and must not be given. */
int abs(int n);
long labs(long n);
long long llabs(long long n);

/* Quotient, rounded towards 0, and remainder. by must not be 0. */
typedef struct {
    int quot, rem;
} div_t;
typedef struct {
    long quot, rem;
} ldiv_t;
typedef struct {
    long long quot, rem;
} lldiv_t;
div_t div(int n, int by);
ldiv_t ldiv(long n, long by);
lldiv_t lldiv(long long n, long long by);

/* Sorts n elements of size octets, the smallest first, in place and in at most
 * n log n steps; equal ones end in any order. compare() gives less than, equal
 * to or more than 0 as a is less than, equal to or more than b. */
void qsort(void *base, size_t n, size_t size,
           int (*compare)(const void *a, const void *b));

/* The element of a sorted array that compare(key, element) finds equal; any of
 * several, NULL if there is none. */
void *bsearch(const void *key, const void *base, size_t n, size_t size,
              int (*compare)(const void *key, const void *element));

/* solo5_exit() and solo5_abort(). */
void exit(int status) __attribute__((noreturn));
void abort(void) __attribute__((noreturn));

#endif
