// The command lines of these guests. A number is hexadecimal, or a letter that
// the guest gives a meaning, or one with +N or -N behind it.
#pragma once
#include "guest.h"

static uint64_t meaning(char letter, uint64_t top);

static inline uint64_t digits(const char **at)
{
    uint64_t v = 0;
    for (;; (*at)++) {
        char c = **at;
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint64_t)(c - 'a' + 10);
        else
            return v;
    }
}

// The next number; top is the end of memory. At the end of the text it is 0.
static inline uint64_t argument(const char **at, uint64_t top)
{
    while (**at == ' ')
        (*at)++;
    uint64_t v = **at >= 'A' && **at <= 'Z' ? meaning(*(*at)++, top) : digits(at);
    if (**at == '+')
        (*at)++, v += digits(at);
    else if (**at == '-')
        (*at)++, v -= digits(at);
    return v;
}

// Whether the next word is this one; if so it is taken. A word may end in '@'.
static inline int word(const char **at, const char *name)
{
    const char *p = *at;
    while (*p == ' ')
        p++;
    while (*name && *p == *name)
        p++, name++;
    if (*name || (*p && *p != ' ' && *p != '@'))
        return 0;
    *at = p;
    return 1;
}
