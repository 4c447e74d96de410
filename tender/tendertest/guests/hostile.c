// Does one thing that no guest may do; what follows must not be reached.
#include "guest.h"
MANIFEST(0);

static uint8_t zero[4096];
static uint64_t page[512] __attribute__((aligned(4096)));

static void puts_raw(uint64_t data, uint64_t len)
{
    volatile struct { uint64_t data, len; } p = {data, len};
    call(PUTS, &p);
}

// without_tables lets an arm64 guest reach past what its tables have; an amd64
// processor in long mode cannot do without.
static void without_tables(void)
{
#if defined(__aarch64__)
    uint64_t control;
    __asm__ volatile("mrs %0, sctlr_el1\n\tbic %0, %0, #1\n\tmsr sctlr_el1, %0\n\tisb" : "=r"(control)::"memory");
#endif
}

int run(const struct boot_info *bi, const char *arg)
{
    uint64_t top = bi->mem_size;
    if (is(arg, "record-at-top"))
        call_raw(PUTS, top - 15);
    else if (is(arg, "record-above"))
        call_raw(PUTS, top);
    else if (is(arg, "record-4g"))
        call_raw(PUTS, 0xffffffff);
    else if (is(arg, "record-zero"))
        call_raw(WALLTIME, 0);
    else if (is(arg, "record-in-text"))
        call_raw(WALLTIME, (uint32_t)(uintptr_t)run & ~7u);
    else if (is(arg, "record-in-boot-info"))
        call_raw(WALLTIME, 0x10000);
    else if (is(arg, "puts-above"))
        puts_raw(top, 1);
    else if (is(arg, "puts-across"))
        puts_raw(top - 10, 11);
    else if (is(arg, "puts-wrap"))
        puts_raw(top - 1, ~0ull);
    else if (is(arg, "puts-64bit"))
        puts_raw(1ull << 63, 1);
    else if (is(arg, "puts-tables"))
        puts_raw(0x2000, 8);
    else if (is(arg, "puts-edge")) { // allowed: the very last octets
        puts_raw(top - 10, 10);
        puts_raw(0x10000, 8);
        puts_raw((uintptr_t)zero, 0);
        return 0;
    } else if (is(arg, "call-0"))
        call_raw(0, 0);
    else if (is(arg, "call-9"))
        call_raw(9, 0);
    else if (is(arg, "cookie")) {
        volatile struct { uint64_t cookie; int32_t status; } h = {top - 100, 0};
        call(HALT, &h);
    } else if (is(arg, "status")) {
        volatile struct { uint64_t cookie; int32_t status; } h = {(uintptr_t)page, 0x1234};
        call(HALT, &h);
    } else if (is(arg, "write-text"))
        *(volatile uint8_t *)(uintptr_t)run = 0xc3;
    else if (is(arg, "read-above")) {
        without_tables();
        return *(volatile uint8_t *)(top + 0x1000) ? 8 : 9;
    }
    else if (is(arg, "spin"))
        for (;;)
            ;
    else if (is(arg, "flood"))
        for (int i = 0; i < 2000; i++)
            put(zero, sizeof zero);
#if defined(__x86_64__)
    else if (is(arg, "port-byte"))
        __asm__ volatile("outb %%al, %%dx" ::"a"(0), "d"(0x502));
    else if (is(arg, "port-in"))
        __asm__ volatile("inl %%dx, %%eax" ::"d"(0x502) : "eax");
    else if (is(arg, "port-other"))
        __asm__ volatile("outl %%eax, %%dx" ::"a"(0), "d"(0x3f8));
    else if (is(arg, "hlt"))
        __asm__ volatile("cli; hlt");
    else if (is(arg, "triple"))
        __asm__ volatile("ud2");
#endif
    else
        return 42;
    return arg[0] == 'f' ? 0 : 99;
}
