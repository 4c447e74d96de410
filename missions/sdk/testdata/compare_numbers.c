/* compare_numbers.c: numbers from text, quotients, order. */
#include "compare.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long ours_strtol(const char *s, char **end, int base);
long long ours_strtoll(const char *s, char **end, int base);
unsigned long ours_strtoul(const char *s, char **end, int base);
unsigned long long ours_strtoull(const char *s, char **end, int base);
int ours_atoi(const char *s);
long ours_atol(const char *s);
int ours_abs(int n);
long ours_labs(long n);
long long ours_llabs(long long n);
div_t ours_div(int n, int by);
ldiv_t ours_ldiv(long n, long by);
lldiv_t ours_lldiv(long long n, long long by);
typedef int compare_t(const void *a, const void *b);
void ours_qsort(void *base, size_t n, size_t size, compare_t *compare);
void *ours_bsearch(const void *key, const void *base, size_t n, size_t size, compare_t *compare);

/* Text that is nearly a number. */
static void numeral(char *s)
{
    static const char *const fronts[] = {"", "", " ", "\t\n ", "-", "+", " -", "0x", "-0X", "0", "--", "0x0x", "\v\f\r"};
    static const char *const edges[] = {
        "9223372036854775807", "9223372036854775808", "9223372036854775809", "18446744073709551615",
        "18446744073709551616", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff", "10000000000000000",
        "99999999999999999999999", "2147483647", "2147483648", "zzzzzzzzzzzzz"};
    size_t n;

    strcpy(s, fronts[below(13)]);
    if (below(3) == 0)
        strcat(s, edges[below(13)]);
    n = strlen(s);
    for (size_t i = below(below(4) ? 6 : 22); i > 0; i--)
        s[n++] = "0123456789abfgxzXAFGZ -."[below(below(2) ? 10 : 24)];
    s[n] = 0;
}

#define READ(name)                                                             \
    do {                                                                       \
        ours = (unsigned long long)ours_##name(s, &a, base);                   \
        theirs = (unsigned long long)name(s, &b, base);                        \
        if (ours != theirs || a != b)                                          \
            differ(#name "(\"%s\", %d): %llx at %td, the host has %llx at %td", s, base, ours, a - s, theirs, b - s); \
    } while (0)

static void readings(void)
{
    char s[64], *a, *b;
    unsigned long long ours, theirs;
    int base = (int)below(37);

    numeral(s);
    base = base == 1 ? 10 : base;
    READ(strtol);
    READ(strtoll);
    READ(strtoul);
    READ(strtoull);
    if (ours_atol(s) != atol(s))
        differ("atol(\"%s\"): %ld, the host has %ld", s, ours_atol(s), atol(s));
    if (strlen(s) < 10 && ours_atoi(s) != atoi(s))
        differ("atoi(\"%s\"): %d, the host has %d", s, ours_atoi(s), atoi(s));
}

static void quotients(void)
{
    long n = (long)(below(UINT64_MAX) >> below(64)), by = (long)(below(UINT64_MAX) >> below(64));
    ldiv_t a, b;
    lldiv_t c;
    div_t d, e;

    n = below(2) || n == LONG_MIN ? n / 2 : -n;
    by = by == 0 || by == -1 ? 3 : by;
    a = ours_ldiv(n, by), b = ldiv(n, by), c = ours_lldiv(n, by);
    d = ours_div((int)(n >> 33), (int)(by >> 33) | 1), e = div((int)(n >> 33), (int)(by >> 33) | 1);
    if (a.quot != b.quot || a.rem != b.rem || c.quot != b.quot || c.rem != b.rem || d.quot != e.quot || d.rem != e.rem)
        differ("div(%ld, %ld)", n, by);
    if (ours_labs(n) != labs(n) || ours_llabs(n) != llabs(n) || ours_abs((int)(n >> 33)) != abs((int)(n >> 33)))
        differ("abs(%ld)", n);
}

static size_t width; /* octets of the elements below */

static int octets(const void *a, const void *b)
{
    return memcmp(a, b, width);
}

static void order(void)
{
    unsigned char a[40 * 24], b[sizeof a], key[24];
    size_t n = below(41);
    const unsigned char *found;

    width = below(24) + 1;
    for (size_t i = 0; i < sizeof a; i++)
        a[i] = b[i] = (unsigned char)below(below(2) ? 3 : 256);
    ours_qsort(a, n, width, octets);
    qsort(b, n, width, octets);
    if (memcmp(a, b, sizeof a) != 0)
        differ("qsort of %zu elements of %zu octets", n, width);
    for (size_t i = 0; i < width; i++)
        key[i] = (unsigned char)below(3);
    if (n && below(2))
        memcpy(key, b + below(n) * width, width);
    found = ours_bsearch(key, b, n, width, octets);
    if (!found != !bsearch(key, b, n, width, octets) || (found && ((size_t)(found - b) % width || octets(found, key))))
        differ("bsearch in %zu elements of %zu octets", n, width);
}

void compare_numbers(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        readings();
        quotients();
        if (i % 8 == 0)
            order();
    }
}
