/* string.c: C11 7.24. The compiler calls the first four by itself. */
#include <string.h>

#include <stdbool.h>
#include <stdint.h>

/* A word that may lie anywhere and alias anything. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word;

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    for (; n >= sizeof(word); n -= sizeof(word)) {
        *(word *)t = *(const word *)f;
        t += sizeof(word);
        f += sizeof(word);
    }
    while (n--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if ((uintptr_t)t - (uintptr_t)f >= n)
        return memcpy(to, from, n);
    while (n--)
        t[n] = f[n];
    return to;
}

void *memset(void *to, int value, size_t n)
{
    uint8_t *t = to;
    uint64_t pattern = (uint8_t)value * 0x0101010101010101UL;

    for (; n >= sizeof(word); n -= sizeof(word)) {
        *(word *)t = pattern;
        t += sizeof(word);
    }
    while (n--)
        *t++ = (uint8_t)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *in, int value, size_t n)
{
    const uint8_t *p = in;

    for (; n; n--, p++)
        if (*p == (uint8_t)value)
            return (void *)p;
    return NULL;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++)
        if (*a != *b || !*a)
            return (uint8_t)*a - (uint8_t)*b;
    return 0;
}

char *strcpy(char *restrict to, const char *restrict from)
{
    return memcpy(to, from, strlen(from) + 1);
}

char *strncpy(char *restrict to, const char *restrict from, size_t n)
{
    size_t used = strnlen(from, n);

    memcpy(to, from, used);
    memset(to + used, 0, n - used);
    return to;
}

char *strcat(char *restrict to, const char *restrict from)
{
    strcpy(to + strlen(to), from);
    return to;
}

char *strncat(char *restrict to, const char *restrict from, size_t n)
{
    size_t used = strnlen(from, n);
    char *end = to + strlen(to);

    memcpy(end, from, used);
    end[used] = 0;
    return to;
}

char *strchr(const char *s, int c)
{
    return memchr(s, c, strlen(s) + 1);
}

char *strrchr(const char *s, int c)
{
    for (size_t n = strlen(s) + 1; n; n--)
        if (s[n - 1] == (char)c)
            return (char *)s + n - 1;
    return NULL;
}

char *strstr(const char *s, const char *what)
{
    size_t n = strlen(what);

    for (;; s++) {
        if (strncmp(s, what, n) == 0)
            return (char *)s;
        if (!*s)
            return NULL;
    }
}

/* How many octets from s on are in set, or are not. */
static size_t span(const char *s, const char *set, bool in)
{
    size_t n = 0;

    while (s[n] && (memchr(set, s[n], strlen(set)) != NULL) == in)
        n++;
    return n;
}

size_t strspn(const char *s, const char *set)
{
    return span(s, set, true);
}

size_t strcspn(const char *s, const char *set)
{
    return span(s, set, false);
}

char *strpbrk(const char *s, const char *set)
{
    s += strcspn(s, set);
    return *s ? (char *)s : NULL;
}

char *strtok_r(char *restrict s, const char *restrict set,
               char **restrict rest)
{
    if (!s)
        s = *rest;
    s += strspn(s, set);
    *rest = s + strcspn(s, set);
    if (*rest == s)
        return NULL;
    if (**rest)
        *(*rest)++ = 0;
    return s;
}
