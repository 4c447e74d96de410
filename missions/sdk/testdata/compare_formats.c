/* compare_formats.c: the printf family with formats and values by chance. */
#include "compare.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

int ours_snprintf(char *to, size_t n, const char *format, ...);

/* One conversion as text, and what its arguments are. */
struct conversion {
    char text[48];
    bool width, precision; /* each takes an int of its own */
    char kind;             /* d i u x X o c s p */
    bool wide;             /* the argument has 64 bits */
};

static void add(char *text, const char *more)
{
    strcat(text, more);
}

/* A number in the format, or * and the number as an argument. */
static bool count(char *text)
{
    char digits[8];

    if (below(3) == 0) {
        add(text, "*");
        return true;
    }
    snprintf(digits, sizeof digits, "%d", (int)below(30));
    add(text, digits[0] == '0' ? "7" : digits);
    return false;
}

/* Flags that C11 7.21.6.1 gives a meaning for this kind. */
static void flags(char *text, char kind)
{
    add(text, below(4) == 0 ? "-" : "");
    if (strchr("csp", kind))
        return;
    add(text, below(3) == 0 ? "0" : "");
    add(text, strchr("di", kind) && below(4) == 0 ? "+" : "");
    add(text, strchr("di", kind) && below(4) == 0 ? " " : "");
    add(text, strchr("xXo", kind) && below(2) == 0 ? "#" : "");
}

static struct conversion conversion(void)
{
    static const char *const lengths[] = {"hh", "h", "", "", "l", "ll", "z", "t", "j"};
    struct conversion c = {.text = "%", .kind = "diuxXocsp"[below(9)]};
    size_t length = below(9);
    char kind[2] = {c.kind, 0};

    flags(c.text, c.kind);
    if (below(2))
        c.width = count(c.text);
    if (!strchr("cp", c.kind) && below(2)) {
        add(c.text, ".");
        if (below(5))
            c.precision = count(c.text);
    }
    if (!strchr("csp", c.kind)) {
        add(c.text, lengths[length]);
        c.wide = length > 3;
    }
    add(c.text, kind);
    return c;
}

/* A 64-bit number near the edges of the types, or any. */
static uint64_t value(void)
{
    static const uint64_t edges[] = {
        0, 1, 7, 8, 9, 10, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
        0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff};

    if (below(2))
        return edges[below(sizeof edges / sizeof *edges)];
    return below(UINT64_MAX) >> below(64);
}

static const char *const texts[] = {"", "a", "moon", "perilune is where an orbit is lowest", "\xff\x80 octets"};

/* Both libraries with one conversion between two pieces of text. CALL gives the
 * stars' arguments in front of the value. */
#define CALL(print, to, room, v)                                               \
    (c.width && c.precision ? print(to, room, format, width, precision, v)     \
     : c.width              ? print(to, room, format, width, v)                \
     : c.precision          ? print(to, room, format, precision, v)            \
                            : print(to, room, format, v))
#define BOTH(v) (ours = CALL(ours_snprintf, a, room, v), theirs = CALL(snprintf, b, room, v))

static void one(void)
{
    struct conversion c = conversion();
    int width = (int)below(60) - 30, precision = (int)below(40) - 5, ours, theirs;
    size_t room = below(4) ? 200 : below(30);
    uint64_t v = value();
    char format[80], a[256], b[256];

    snprintf(format, sizeof format, "%s%s%s", texts[below(2)], c.text, below(2) ? " %% and more" : "");
    memset(a, 0x55, sizeof a);
    memset(b, 0x55, sizeof b);
    if (c.kind == 's')
        BOTH(texts[v % 5]);
    else if (c.kind == 'c')
        BOTH((int)(v % 255 + 1));
    else if (c.kind == 'p')
        BOTH((void *)(v | 1)); /* how NULL looks is up to the library */
    else if (c.wide)
        BOTH((unsigned long)v);
    else
        BOTH((unsigned)v);
    if (ours != theirs || memcmp(a, b, sizeof a) != 0)
        differ("snprintf(room %zu, \"%s\", %d, %d, %#lx): %d \"%.*s\", the host has %d \"%.*s\"", room, format, width,
               precision, (unsigned long)v, ours, (int)(room ? room - 1 : 0), a, theirs, (int)(room ? room - 1 : 0), b);
}

/* Several conversions in one format: each takes its own argument. */
static void several(void)
{
    char a[300], b[300];
    unsigned u = (unsigned)value();
    long l = (long)value();
    const char *s = texts[below(5)];
    int w = (int)below(20), ours, theirs;

    ours = ours_snprintf(a, sizeof a, "%*d|%s|%lx|%c|%.3s|%#o|%zu|%%", w, (int)u, s, (unsigned long)l, 'x', s, u, (size_t)l);
    theirs = snprintf(b, sizeof b, "%*d|%s|%lx|%c|%.3s|%#o|%zu|%%", w, (int)u, s, (unsigned long)l, 'x', s, u, (size_t)l);
    if (ours != theirs || strcmp(a, b) != 0)
        differ("several: %d \"%s\", the host has %d \"%s\"", ours, a, theirs, b);
}

void compare_formats(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        one();
        if (i % 10 == 0)
            several();
    }
}
