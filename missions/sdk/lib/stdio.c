/* stdio.c: the printf family, C11 7.21.6, without floating point. */
#include <stdio.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "solo5.h"

/* A width or precision in a format counts up to about this. */
#define WIDEST 1000000

/* Where text goes: at most room octets are kept, all are counted. */
struct sink {
    char *to;
    size_t room;
    size_t length;
};

/* One conversion, as the format asks for it. */
struct spec {
    bool left, zero, plus, space, alternate;
    int width;
    int precision; /* -1: none */
    int length;    /* octets of the argument */
};

static void emit(struct sink *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++, out->length++)
        if (out->length < out->room)
            out->to[out->length] = text[i];
}

static void fill(struct sink *out, char c, int n)
{
    while (n-- > 0)
        emit(out, &c, 1);
}

/* prefix (sign, 0x), then zeros, then text; blanks around them. */
static void field(struct sink *out, const struct spec *s, const char *prefix,
                  int zeros, const char *text, size_t n)
{
    int blanks = s->width - (int)(strlen(prefix) + n) - zeros;

    if (!s->left)
        fill(out, ' ', blanks);
    emit(out, prefix, strlen(prefix));
    fill(out, '0', zeros);
    emit(out, text, n);
    if (s->left)
        fill(out, ' ', blanks);
}

static void number(struct sink *out, const struct spec *s, uint64_t value,
                   unsigned base, bool upper, const char *prefix)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[24];
    size_t at = sizeof text;
    int n, zeros = 0;

    for (; value; value /= base)
        text[--at] = digits[value % base];
    if (at == sizeof text && s->precision != 0)
        text[--at] = '0';
    n = (int)(sizeof text - at);
    if (s->precision > n)
        zeros = s->precision - n;
    else if (s->precision < 0 && s->zero && !s->left)
        zeros = s->width - n - (int)strlen(prefix);
    if (base == 8 && s->alternate && zeros <= 0 && (n == 0 || text[at] != '0'))
        zeros = 1;
    field(out, s, prefix, zeros > 0 ? zeros : 0, text + at, (size_t)n);
}

static int count(const char **f, va_list *args)
{
    int n = 0;

    if (**f == '*') {
        ++*f;
        return va_arg(*args, int);
    }
    for (; **f >= '0' && **f <= '9'; ++*f)
        if (n < WIDEST)
            n = n * 10 + **f - '0';
    return n;
}

/* Reads flags, width, precision and length; leaves *f at the conversion. */
static struct spec parse(const char **f, va_list *args)
{
    struct spec s = {.precision = -1, .length = sizeof(int)};

    for (;; ++*f) {
        if (**f == '-')
            s.left = true;
        else if (**f == '0')
            s.zero = true;
        else if (**f == '+')
            s.plus = true;
        else if (**f == ' ')
            s.space = true;
        else if (**f == '#')
            s.alternate = true;
        else
            break;
    }
    s.width = count(f, args);
    if (s.width < 0) {
        s.left = true;
        s.width = s.width < -WIDEST ? WIDEST : -s.width;
    }
    if (**f == '.') {
        ++*f;
        s.precision = count(f, args);
    }
    for (;; ++*f) {
        if (**f == 'h' && s.length > 1)
            s.length /= 2;
        else if (**f == 'l' || **f == 'z' || **f == 't' || **f == 'j')
            s.length = sizeof(long);
        else
            break;
    }
    return s;
}

static void integer(struct sink *out, const struct spec *s, char conversion,
                    va_list *args)
{
    uint64_t v = s->length > 4 ? va_arg(*args, uint64_t)
                               : va_arg(*args, unsigned);
    unsigned unused = (unsigned)(8 - s->length) * 8;

    if (conversion == 'd' || conversion == 'i') {
        int64_t n = (int64_t)(v << unused) >> unused;
        const char *sign = n < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";

        number(out, s, n < 0 ? -(uint64_t)n : (uint64_t)n, 10, false, sign);
        return;
    }
    v = v << unused >> unused;
    if (conversion == 'u')
        number(out, s, v, 10, false, "");
    else if (conversion == 'o')
        number(out, s, v, 8, false, "");
    else
        number(out, s, v, 16, conversion == 'X',
               !s->alternate || !v    ? ""
               : conversion == 'X' ? "0X"
                                   : "0x");
}

static void string(struct sink *out, const struct spec *s, const char *text)
{
    if (!text)
        text = "(null)";
    field(out, s, "", 0, text,
          s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision));
}

/* Writes the conversion at f and returns what follows it. */
static const char *convert(struct sink *out, const char *f, va_list *args)
{
    const char *start = f - 1;
    struct spec s = parse(&f, args);
    char c;

    switch (*f) {
    case 'd': case 'i': case 'u': case 'x': case 'X': case 'o':
        integer(out, &s, *f, args);
        break;
    case 'p':
        number(out, &s, (uintptr_t)va_arg(*args, void *), 16, false, "0x");
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        field(out, &s, "", 0, &c, 1);
        break;
    case 's':
        string(out, &s, va_arg(*args, const char *));
        break;
    case '%':
        emit(out, "%", 1);
        break;
    default:
        emit(out, start, (size_t)(f - start));
        return f;
    }
    return f + 1;
}

int vsnprintf(char *restrict to, size_t n, const char *restrict format,
              va_list args)
{
    struct sink out = {.to = to, .room = n ? n - 1 : 0};
    va_list rest;

    va_copy(rest, args);
    while (*format) {
        const char *plain = format;

        while (*format && *format != '%')
            format++;
        emit(&out, plain, (size_t)(format - plain));
        if (*format)
            format = convert(&out, format + 1, &rest);
    }
    va_end(rest);
    if (n)
        to[out.length < out.room ? out.length : out.room] = 0;
    return (int)out.length;
}

int snprintf(char *restrict to, size_t n, const char *restrict format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(to, n, format, args);
    va_end(args);
    return length;
}

int printf(const char *restrict format, ...)
{
    char text[1024];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length > (int)sizeof text - 1)
        length = sizeof text - 1;
    solo5_console_write(text, (size_t)length);
    return length;
}

int puts(const char *s)
{
    return printf("%s\n", s);
}
