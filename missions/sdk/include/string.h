/* string.h: the part of C11 7.24 that the SDK has. */
#ifndef PERILUNE_STRING_H
#define PERILUNE_STRING_H

#include <stddef.h>

/* Octets: as C11 7.24 has them; n counts octets. memcpy() wants areas apart from
 * each other, memmove() does not. memchr() is NULL when value is not there. */
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *in, int value, size_t n);

/* Text up to its zero octet, which strcpy() and strcat() write too: to must have
 * room. strncpy() fills up with zeroes, and writes none when from is n octets or
 * longer. Lengths are in octets without the zero. Searches are NULL when there
 * is nothing to find. */
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strcpy(char *restrict to, const char *restrict from);
char *strncpy(char *restrict to, const char *restrict from, size_t n);
char *strcat(char *restrict to, const char *restrict from);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);

#endif
