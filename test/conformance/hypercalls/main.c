// Calls that are none, and records that are nowhere.
#include "../raw.h"

int solo5_app_main(const struct solo5_start_info *si)
{
    const char *arg = si->cmdline;
    uint32_t top = (uint32_t)hvt_boot->mem_size;
    volatile struct puts p = {(uintptr_t)arg, 1};

    if (is(arg, "0"))
        hypercall(0, top - 64);
    if (is(arg, "9"))
        hypercall(9, top - 64);
    if (is(arg, "record-above"))
        hypercall(PUTS, top - 8);
    if (is(arg, "record-low"))
        hypercall(WALLTIME, 0);
    if (is(arg, "data-above"))
        p.data = top - 4, p.len = 5;
    if (is(arg, "data-wraps"))
        p.data = ~0ull, p.len = 2;
    if (is(arg, "length-wraps"))
        p.len = ~0ull;
    if (is(arg, "cookie-above")) {
        volatile struct halt h = {top - 511, 0};
        CALL(HALT, &h);
    }
#if defined(__x86_64__)
    if (is(arg, "port"))
        __asm__ volatile("outl %%eax, %%dx" ::"a"(0), "d"(0x3f8));
    if (is(arg, "octet"))
        __asm__ volatile("outb %%al, %%dx" ::"a"(0), "d"(0x502));
    if (is(arg, "in"))
        __asm__ volatile("inl %%dx, %%eax" ::"d"(0x502) : "eax");
#endif
    if (is(arg, "nothing")) // no octet anywhere is no octet outside
        p.data = top - 1, p.len = 0;
    CALL(PUTS, &p);
    return is(arg, "nothing") ? 0 : 42;
}
