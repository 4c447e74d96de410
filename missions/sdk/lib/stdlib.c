/* stdlib.c: numbers from text. */
#include <stdlib.h>

#include <limits.h>
#include <stdbool.h>

static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 10 : UINT_MAX;
}

/* Too large a number is ULONG_MAX, as C11 says; there is no errno. */
unsigned long strtoul(const char *restrict s, char **restrict end_out, int base)
{
    const char *start = s;
    unsigned long value = 0;
    bool any = false, over = false, minus;

    while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
        s++;
    minus = *s == '-';
    if (*s == '+' || *s == '-')
        s++;
    if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 0x20) == 'x' &&
        digit(s[2]) < 16) {
        s += 2;
        base = 16;
    }
    if (base == 0)
        base = *s == '0' ? 8 : 10;
    for (; digit(*s) < (unsigned)base; s++, any = true)
        over |= __builtin_mul_overflow(value, (unsigned long)base, &value) ||
                __builtin_add_overflow(value, (unsigned long)digit(*s), &value);
    if (end_out)
        *end_out = (char *)(any ? s : start);
    if (over)
        return ULONG_MAX;
    return minus ? -value : value;
}
