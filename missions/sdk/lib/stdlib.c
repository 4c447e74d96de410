/* stdlib.c: a heap that grows, and numbers from text. */
#include <stdlib.h>

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "hvt.h"

#define ALIGN 16UL

/* In front of each block: its length, so that realloc() can copy it. */
struct header {
    size_t size;
    size_t pad;
};
_Static_assert(sizeof(struct header) == ALIGN, "blocks stay aligned");

static uintptr_t next, end;
static void *newest; /* the block that ends at next */

void hvt_heap_init(uintptr_t start, size_t size)
{
    next = (start + ALIGN - 1) & ~(ALIGN - 1);
    end = size > PERILUNE_STACK_SIZE ? start + size - PERILUNE_STACK_SIZE : next;
}

void *malloc(size_t n)
{
    struct header *h = (struct header *)next;

    if (next >= end || n > end - next ||
        end - next - n < sizeof(struct header) + ALIGN)
        return NULL;
    h->size = n;
    newest = h + 1;
    next += sizeof(struct header) + ((n + ALIGN - 1) & ~(ALIGN - 1));
    return newest;
}

/* Memory is new, hence zero, unless free() gave it back; so it is cleared. */
void *calloc(size_t count, size_t n)
{
    size_t total;
    void *p;

    if (__builtin_mul_overflow(count, n, &total))
        return NULL;
    p = malloc(total);
    if (p)
        memset(p, 0, total);
    return p;
}

void free(void *p)
{
    if (!p || p != newest)
        return;
    next = (uintptr_t)p - sizeof(struct header);
    newest = NULL;
}

void *realloc(void *p, size_t n)
{
    size_t old = p ? ((struct header *)p - 1)->size : 0;
    void *q;

    if (old >= n && p)
        return p;
    q = malloc(n);
    if (q && p)
        memcpy(q, p, old);
    return q;
}

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
