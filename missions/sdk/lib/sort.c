/*
 * sort.c: C11 7.22.5. Heap sort: in place, without recursion, and never more
 * than n log n steps, whatever the order that the elements come in.
 */
#include <stdint.h>
#include <stdlib.h>

typedef int compare_t(const void *a, const void *b);

static void swap(uint8_t *a, uint8_t *b, size_t size)
{
    while (size--) {
        uint8_t t = *a;

        *a++ = *b;
        *b++ = t;
    }
}

/* Lets element at sink below larger ones; the heap has n elements. */
static void sink(uint8_t *base, size_t at, size_t n, size_t size,
                 compare_t *compare)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n &&
            compare(base + child * size, base + (child + 1) * size) < 0)
            child++;
        if (compare(base + at * size, base + child * size) >= 0)
            return;
        swap(base + at * size, base + child * size, size);
    }
}

void qsort(void *base, size_t n, size_t size, compare_t *compare)
{
    for (size_t i = n / 2; i-- > 0;)
        sink(base, i, n, size, compare);
    for (size_t left = n; left > 1; left--) {
        swap(base, (uint8_t *)base + (left - 1) * size, size);
        sink(base, 0, left - 1, size, compare);
    }
}

void *bsearch(const void *key, const void *base, size_t n, size_t size,
              compare_t *compare)
{
    const uint8_t *low = base;

    while (n > 0) {
        const uint8_t *middle = low + n / 2 * size;
        int order = compare(key, middle);

        if (order == 0)
            return (void *)middle;
        if (order > 0) {
            low = middle + size;
            n--;
        }
        n /= 2;
    }
    return NULL;
}
