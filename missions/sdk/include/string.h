/* string.h: C11 7.24 without locales and messages; strnlen() and strtok_r() are POSIX's. */
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
 * longer; strncat() takes n octets of from at most and always writes one. Lengths are in octets without the zero. Searches are NULL when there
 * is nothing to find. */
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strcpy(char *restrict to, const char *restrict from);
char *strncpy(char *restrict to, const char *restrict from, size_t n);
char *strcat(char *restrict to, const char *restrict from);
char *strncat(char *restrict to, const char *restrict from, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);

/* strspn() is how many octets s begins with that are in set, strcspn() how many
 * that are not; strpbrk() is the first that is in set, NULL if none is. */
size_t strspn(const char *s, const char *set);
size_t strcspn(const char *s, const char *set);
char *strpbrk(const char *s, const char *set);

/* The next word of s between octets of set, which is cut out of s with a zero;
 * NULL when there is no more. s is NULL from the second call on; *rest is the
 * callers' and keeps the place. */
char *strtok_r(char *restrict s, const char *restrict set,
               char **restrict rest);

#endif
