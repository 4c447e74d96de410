/* heap.c: malloc, realloc and free in a random order; each block knows its own content. */
#include <perilune.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 200

static struct {
    uint8_t *p;
    size_t n;
    uint8_t mark;
} blocks[BLOCKS];

static uint64_t seed = 88172645463325252u;

static uint64_t number(void) /* xorshift64 */
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

static bool whole(int i, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (blocks[i].p[k] != blocks[i].mark)
            return false;
    return (uintptr_t)blocks[i].p % 16 == 0;
}

static int wrong(const char *what)
{
    puts(what);
    return 1;
}

static size_t size(void)
{
    static const size_t most[] = {1, 16, 17, 100, 1000, 5000};

    return number() % (most[number() % 6] + 1);
}

/* The largest block that there is room for. */
static size_t largest(void)
{
    size_t low = 0, high = 1ul << 40;

    while (high - low > 1) {
        size_t n = low + (high - low) / 2;
        void *p = malloc(n);

        free(p);
        if (p)
            low = n;
        else
            high = n;
    }
    return low;
}

int solo5_app_main(const struct solo5_start_info *info)
{
    size_t before = largest();

    if (strcmp(info->cmdline, "twice") == 0) {
        void *p = malloc(10);
        free(p);
        free(p);
    }
    uint8_t *all = malloc(before);

    if (!all)
        return wrong("the largest block is not there twice");
    memset(all, 1, before);
    free(all);
    if (malloc(SIZE_MAX) || malloc(SIZE_MAX - 20) || calloc(SIZE_MAX / 2, 3) || before == 0)
        return wrong("too much was given");
    for (int round = 0; round < 100000; round++) {
        int i = (int)(number() % BLOCKS);
        size_t n = size(), old = blocks[i].n;

        if (blocks[i].p && !whole(i, old))
            return wrong("a block changed");
        if (number() % 3 == 0) {
            free(blocks[i].p);
            blocks[i].p = NULL, blocks[i].n = 0;
            continue;
        }
        uint8_t *p = number() % 8 ? realloc(blocks[i].p, n) : NULL;

        if (!p) {
            free(blocks[i].p);
            old = 0, p = calloc(1, n);
        }
        if (!p)
            return wrong("no room");
        blocks[i].p = p;
        if (!whole(i, old < n ? old : n))
            return wrong("a block moved without its content");
        blocks[i].n = n, blocks[i].mark = (uint8_t)number();
        memset(p, blocks[i].mark, n);
    }
    for (int i = 0; i < BLOCKS; i++) {
        if (!whole(i, blocks[i].n) && blocks[i].p)
            return wrong("a block changed");
        free(blocks[i].p);
    }
    if (largest() != before)
        return wrong("memory was lost");
    puts("whole");
    return 0;
}
