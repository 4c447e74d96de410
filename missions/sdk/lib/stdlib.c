/* stdlib.c: numbers from text and whole numbers, C11 7.22.1 and 7.22.6. */
#include <stdlib.h>

#include <limits.h>
#include <stdbool.h>

_Static_assert(sizeof(long) == sizeof(long long), "one reader serves both");

static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 10 : UINT_MAX;
}

/* What stands in front of the digits is skipped, base made 8, 10 or 16 if it
 * is 0. Returns where the digits begin. */
static const char *prefix(const char *s, int *base, bool *minus)
{
    while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
        s++;
    *minus = *s == '-';
    if (*s == '+' || *s == '-')
        s++;
    if ((*base == 0 || *base == 16) && s[0] == '0' && (s[1] | 0x20) == 'x' &&
        digit(s[2]) < 16) {
        *base = 16;
        return s + 2;
    }
    if (*base == 0)
        *base = *s == '0' ? 8 : 10;
    return s;
}

/* The number without its sign; *over says that it is too large for 64 bits. */
static unsigned long long magnitude(const char *start, char **end, int base,
                                    bool *minus, bool *over)
{
    const char *s = prefix(start, &base, minus), *first = s;
    unsigned long long value = 0;

    *over = false;
    for (; digit(*s) < (unsigned)base; s++)
        *over |= __builtin_mul_overflow(value, (unsigned)base, &value) ||
                 __builtin_add_overflow(value, digit(*s), &value);
    if (end)
        *end = (char *)(s > first ? s : start);
    return value;
}

unsigned long long strtoull(const char *restrict s, char **restrict end,
                            int base)
{
    bool minus, over;
    unsigned long long value = magnitude(s, end, base, &minus, &over);

    if (over)
        return ULLONG_MAX;
    return minus ? -value : value;
}

long long strtoll(const char *restrict s, char **restrict end, int base)
{
    bool minus, over;
    unsigned long long value = magnitude(s, end, base, &minus, &over);

    if (minus)
        return over || value > LLONG_MAX ? LLONG_MIN : -(long long)value;
    return over || value > LLONG_MAX ? LLONG_MAX : (long long)value;
}

unsigned long strtoul(const char *restrict s, char **restrict end, int base)
{
    return strtoull(s, end, base);
}

long strtol(const char *restrict s, char **restrict end, int base)
{
    return strtoll(s, end, base);
}

int atoi(const char *s)
{
    return (int)strtol(s, NULL, 10);
}

long atol(const char *s)
{
    return strtol(s, NULL, 10);
}

int abs(int n)
{
    return n < 0 ? -n : n;
}

long labs(long n)
{
    return n < 0 ? -n : n;
}

long long llabs(long long n)
{
    return n < 0 ? -n : n;
}

div_t div(int n, int by)
{
    return (div_t){n / by, n % by};
}

ldiv_t ldiv(long n, long by)
{
    return (ldiv_t){n / by, n % by};
}

lldiv_t lldiv(long long n, long long by)
{
    return (lldiv_t){n / by, n % by};
}
