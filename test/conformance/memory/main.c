// Uses all the memory it is told it has.
#include "../raw.h"

int solo5_app_main(const struct solo5_start_info *si)
{
    static char zeroes[100000]; // bss
    char here;

    printf("%lu MB\n", (unsigned long)(hvt_boot->mem_size >> 20));
    CHECK(hvt_boot->mem_size % (2 << 20) == 0);
    CHECK(si->heap_start == hvt_boot->kernel_end && si->heap_start % 4096 == 0);
    CHECK(si->heap_start + si->heap_size == hvt_boot->mem_size);
    CHECK((uintptr_t)&here < hvt_boot->mem_size && (uintptr_t)&here > hvt_boot->mem_size - 65536);
    for (size_t i = 0; i < sizeof zeroes; i++)
        CHECK(zeroes[i] == 0);
    if (is(si->cmdline, "size"))
        return 0;
    // From the heap's first word to 64 KiB below the top: zero, then usable.
    volatile uint64_t *p = (void *)si->heap_start, *end = (void *)(hvt_boot->mem_size - 65536);
    for (; p < end; p += 512) {
        CHECK(*p == 0);
        *p = (uintptr_t)p;
    }
    for (p = (void *)si->heap_start; p < end; p += 512)
        CHECK(*p == (uintptr_t)p);
    return 0;
}
