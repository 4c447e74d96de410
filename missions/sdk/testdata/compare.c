/*
 * compare.c: runs the library's functions and the host's with the same
 * arguments, as a process of the host, and prints where they differ. With the
 * argument "heap" it runs heap.c instead, on a heap that the host's malloc()
 * gave, so that a sanitizer sees each step beyond it.
 */
#define _POSIX_C_SOURCE 200809L
#include "compare.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct solo5_start_info {
    const char *cmdline;
    uintptr_t heap_start;
    size_t heap_size;
};
int solo5_app_main(const struct solo5_start_info *info);
void hvt_heap_init(uintptr_t start, size_t size);

static uint64_t seed = 88172645463325252u;
static int differences;

uint64_t below(uint64_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed % n;
}

void differ(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    if (++differences >= 20)
        exit(1);
}

/* What the library asks of its surroundings. */
void solo5_console_write(const char *buf, size_t size)
{
    if (write(1, buf, size) != (ssize_t)size)
        _exit(3);
}

void solo5_abort(void)
{
    _exit(255);
}

static int on_heap(void)
{
    size_t size = (4 << 20) + 24; /* no round number */
    char *heap = malloc(size);
    struct solo5_start_info info = {"", (uintptr_t)heap + 8, size - 8};
    int status;

    hvt_heap_init(info.heap_start, info.heap_size);
    status = solo5_app_main(&info);
    free(heap);
    return status;
}

int main(int argc, char **argv)
{
    int rounds;

    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "heap") == 0)
        return on_heap();
    rounds = atoi(argv[1]);
    compare_formats(rounds);
    compare_strings(rounds);
    compare_numbers(rounds);
    printf("%d rounds, %d differences\n", rounds, differences);
    return differences != 0;
}
